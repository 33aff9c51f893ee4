-- What the scripts of the gate have in common.
--
-- A message is kept as its contents, one after the other: "DIGEST UNTIL TOKEN SIZE REPLY", without a reply while it runs.
-- UNTIL is in milliseconds; that of a single content is 0, as it lasts as long as the key. Nearly all messages have one
-- content, and need neither the time nor a second look.

local function content(digest, ends, token, reply)
  return string.format('%s %.0f %s %d ', digest, ends, token, #reply) .. reply
end

-- Reports whether a message is a single content, of this claim.
local function isOnly(value, digest, token)
  local start = digest .. ' 0 ' .. token .. ' '
  return value and string.sub(value, 1, #start) == start
end

-- Returns the contents that have not run out, and the time.
local function load(key)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local value, left = redis.call('GET', key) or '', redis.call('PTTL', key)
  local list, at = {}, 1
  while at <= #value do
    local _, last, digest, ends, token, size = string.find(value, '^(%S*) (%d+) (%S+) (%d+) ', at)
    at = last + size + 1
    ends = tonumber(ends)
    if ends == 0 then
      ends = now + left
    end
    if ends > now then
      list[#list + 1] = {digest = digest, ends = ends, token = token, reply = string.sub(value, last + 1, at - 1)}
    end
  end
  return list, now
end

local function save(key, list, now)
  local parts, last = {}, 0
  for i, c in ipairs(list) do
    last = math.max(last, c.ends)
    parts[i] = content(c.digest, #list == 1 and 0 or c.ends, c.token, c.reply)
  end
  if last > now then
    redis.call('SET', key, table.concat(parts), 'PX', last - now)
  else
    redis.call('DEL', key)
  end
end

