-- Sends the requests of the file that BENCH_LOAD names, in turn, and prints the result as a line of JSON.
-- `{n}` in a body becomes a number that is used once, counted from BENCH_FIRST over all of BENCH_THREADS.

local requests = dofile(os.getenv('BENCH_LOAD'))
local first = tonumber(os.getenv('BENCH_FIRST'))
local step = tonumber(os.getenv('BENCH_THREADS'))
local threads = 0

function setup(thread)
  thread:set('offset', threads)
  threads = threads + 1
end

local varies = #requests > 1
for _, request in ipairs(requests) do
  if request.body and request.body:find('{n}', 1, true) then varies = true end
end

if varies then
  -- With this function wrk asks Lua for every request, else it sends the same bytes each time.
  local turn = 0
  local number
  local function nextNumber()
    number = (number or first + offset - step) + step
    return tostring(number)
  end
  local ready = {}
  function request()
    local index = turn % #requests + 1
    turn = turn + 1
    local it = requests[index]
    if it.body and it.body:find('{n}', 1, true) then
      return wrk.format(it.method, it.path, it.headers, (it.body:gsub('{n}', nextNumber)))
    end
    local text = ready[index]
    if not text then
      text = wrk.format(it.method, it.path, it.headers, it.body)
      ready[index] = text
    end
    return text
  end
else
  local only = requests[1]
  wrk.method, wrk.path, wrk.body = only.method, only.path, only.body
  for name, value in pairs(only.headers) do wrk.headers[name] = value end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
