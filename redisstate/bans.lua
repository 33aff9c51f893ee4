-- Exchanges the bans of an app. KEYS: the bans. ARGV: 1 to forget all first, then what is banned and for how many
-- milliseconds, in pairs. Returns what is banned then, and for how long, in pairs.
if ARGV[1] == '1' then
  redis.call('DEL', KEYS[1])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  ends[all[i]] = tonumber(all[i + 1])
end
local isChanged = false
for i = 2, #ARGV, 2 do
  local api, at = ARGV[i], now + ARGV[i + 1]
  if at > (ends[api] or 0) then
    ends[api], isChanged = at, true
    redis.call('HSET', KEYS[1], api, string.format('%.0f', at))
  end
end
local left, last = {}, 0
for api, at in pairs(ends) do
  if at <= now then
    redis.call('HDEL', KEYS[1], api)
  else
    last = math.max(last, at)
    left[#left + 1] = api
    left[#left + 1] = at - now
  end
end
if isChanged then
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
end
return left
