select
  ride_date,
  coalesce(city, '-') as city,
  count(*) as rides,
  count(distinct bike) as bikes,
  sum(minutes) as minutes
from rides
group by ride_date, coalesce(city, '-')
