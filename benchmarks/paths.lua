-- A script for wrk: each request takes the next line of a file as its path; at the end it says how many it took.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  paths, taken = {}, 0
  for line in io.lines(arguments[1]) do
    paths[#paths + 1] = line
  end
end

function request()
  taken = taken + 1
  return wrk.format("GET", paths[taken] or "/more-paths-than-the-file-has")
end

function done()
  for _, thread in ipairs(threads) do
    print("Paths taken: " .. thread:get("taken"))
  end
end
