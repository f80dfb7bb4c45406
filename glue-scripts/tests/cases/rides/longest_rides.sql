select ride_date, max(minutes) as minutes from rides group by ride_date
