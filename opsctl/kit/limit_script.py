"""The limiter's one script: a log of granted moments on the server's clock, past and reserved."""

from opsctl.systems.redis.target import Script

TAKE = Script("""
local log = KEYS[1]
local limit, window, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local size = redis.call('LLEN', log)

-- A log lost to a restart, or gone too early, may have been full: shut for a window.
if size == 0 then
  local shut = 0
  if tonumber(ARGV[4]) > now then shut = now + window end
  local info = tonumber(ARGV[5]) >= 0 and redis.pcall('INFO', 'server')
  if type(info) == 'string' then
    local up = tonumber(string.match(info, 'uptime_in_seconds:(%d+)') or 1e9)
    shut = math.max(shut, now - up * 1000000 + 1000000 + tonumber(ARGV[5]) + window)
  end
  if shut > now then
    local full = {}
    for i = 1, math.min(limit, 1000) do full[i] = string.format('%.0f', shut - window) end
    while size < limit do
      size = redis.call('RPUSH', log, unpack(full, 1, math.min(limit - size, 1000)))
    end
    redis.call('PEXPIRE', log, math.ceil((shut - now) / 1000) + 1)
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
"""Answers {granted, remaining, microseconds to wait, until when the log must be there}."""

FORGET = Script("""
local log = KEYS[1]
local held = redis.call('LLEN', log)
if held == 0 then return 0 end
local left = redis.call('PTTL', log)
redis.call('DEL', log)
-- A log that is gone would look lost, and be shut; one that is old is only empty.
redis.call('RPUSH', log, '0')
redis.call('PEXPIRE', log, math.max(1, left) + 1000)
return held
""")
