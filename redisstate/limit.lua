-- Takes the next turn. KEYS: the limits, that of all calls first if there is one. ARGV: the longest wait in
-- microseconds, or -1 for any; then for each limit the time between two calls and the time that a burst may be ahead, in
-- microseconds. Returns the wait in microseconds, and 1 if the turn was taken.
--
-- A limit is kept as the time when the call after the last one is due: a token bucket, as one number.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due, at = {}, now
for i, key in ipairs(KEYS) do
  due[i] = math.max(tonumber(redis.call('GET', key)) or 0, now)
  at = math.max(at, due[i] - ARGV[2 * i + 1])
end
local most = tonumber(ARGV[1])
if most >= 0 and at - now > most then
  return {at - now, 0}
end
for i, key in ipairs(KEYS) do
  if i > 1 then
    due[i] = math.max(due[i], at) -- an API waits for the app, not the app for an API
  end
  due[i] = due[i] + ARGV[2 * i]
  redis.call('SET', key, string.format('%.0f', due[i]), 'PX', math.floor((due[i] - now) / 1000) + 1)
end
return {at - now, 1}
