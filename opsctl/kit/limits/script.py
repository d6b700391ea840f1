"""The script that grants calls: a log of past and reserved moments, on the server's clock."""

from opsctl.systems.redis.target import RedisScript

TAKE = RedisScript("""
local log = KEYS[1]
local limit, window, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local size = redis.call('LLEN', log)

-- A log lost in a restart, or gone too early, may have been full: closed for a window.
if size == 0 then
  local closed = 0
  if tonumber(ARGV[4]) > now then closed = now + window end
  local info = tonumber(ARGV[5]) >= 0 and redis.pcall('INFO', 'server')
  if type(info) == 'string' then
    local up = tonumber(string.match(info, 'uptime_in_seconds:(%d+)') or 1e9)
    closed = math.max(closed, now - up * 1000000 + 1000000 + tonumber(ARGV[5]) + window)
  end
  if closed > now then
    local full = {}
    for i = 1, math.min(limit, 1000) do full[i] = string.format('%.0f', closed - window) end
    while size < limit do
      size = redis.call('RPUSH', log, unpack(full, 1, math.min(limit - size, 1000)))
    end
    redis.call('PEXPIRE', log, math.ceil((closed - now) / 1000) + 1)
  end
end

local slot = now
if size >= limit then
  slot = math.max(now, redis.call('LINDEX', log, -limit) + window)
end
if slot - now > patience then return {0, 0, slot - now, slot} end

while size > 0 and redis.call('LINDEX', log, 0) + window <= now do
  redis.call('LPOP', log)
  size = size - 1
end
redis.call('RPUSH', log, string.format('%.0f', slot))
redis.call('PEXPIRE', log, math.ceil((slot - now + window) / 1000) + 1)
return {1, math.max(0, limit - size - 1), slot - now, slot + window}
""")
"""Returns {granted, remaining, microseconds to wait, until when the log must exist}."""

FORGET = RedisScript("""
local log = KEYS[1]
local count = redis.call('LLEN', log)
if count == 0 then return 0 end
local left = redis.call('PTTL', log)
redis.call('DEL', log)
-- A missing log would look lost and close the limit; an old one only looks empty.
redis.call('RPUSH', log, '0')
redis.call('PEXPIRE', log, math.max(1, left) + 1000)
return count
""")
