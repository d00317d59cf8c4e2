// POST: the body goes to every client. The peer "node" of the benchmark.
const http = require("http");
const { WebSocketServer } = require("ws");

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const text = Buffer.concat(parts);
    for (const client of sockets.clients) client.send(text, { binary: false });
    response.writeHead(201, { "Content-Length": 2 }).end("{}");
  });
});
server.keepAliveTimeout = 600_000;
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(server.address().port));
