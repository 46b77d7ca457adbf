local ltn12 = require("ltn12")
local smtp, ssl, socket = require("socket.smtp"), require("ssl"), require("socket")
local read = function(name) local file = io.open(name, "rb") local all = file:read("a") file:close() return all end
local recipients = {}
for each in os.getenv("RECIPIENTS"):gmatch("%S+") do recipients[#recipients + 1] = "<" .. each .. ">" end

-- TLS from the start: LuaSocket knows no STARTTLS.
local function connect()
  local plain = socket.tcp()
  local secure
  return setmetatable({
    connect = function(_, host, port)
      if not plain:connect(host, port) then return nil, "no connection" end
      secure = ssl.wrap(plain, { mode = "client", protocol = "any", verify = "peer", cafile = os.getenv("CA") })
      return secure:dohandshake()
    end,
  }, { __index = function(_, name)
    return function(_, ...) local at = secure or plain return at[name](at, ...) end
  end })
end

local sent, message = smtp.send({
  from = "<" .. os.getenv("SENDER") .. ">", rcpt = recipients,
  source = ltn12.source.string((read("message.eml"):gsub("\n", "\r\n"))),
  server = os.getenv("HOST"), port = tonumber(os.getenv("TLS_PORT")),
  user = os.getenv("LOGIN"), password = os.getenv("PASSWORD"), create = connect,
})
if not sent then io.stderr:write(message, "\n") os.exit(1) end
