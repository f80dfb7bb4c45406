-- One row for each person of a day first, so that a person on both platforms is found without a second look.
with people as (
  select
    local_date,
    coalesce(user_id, anonymous_id) as person,
    max(platform = 'ios') as on_ios,
    max(platform = 'android') as on_android,
    count(*) as calls
  from mobile_users
  group by local_date, coalesce(user_id, anonymous_id)
)
select
  local_date,
  count(*) as users,
  count_if(on_ios) as ios_users,
  count_if(on_android) as android_users,
  count_if(on_ios and on_android) as both,
  sum(calls) as events
from people
group by local_date
