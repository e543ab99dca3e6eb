// The PostgreSQL wire protocol over PGlite. There is one backend, so the clients share its state
// and take turns, a transaction at a time (yoyo, for one, opens a second connection per migration).

const NO_TLS = new Set([80877103, 80877104]), CANCEL = 80877102; // sent in place of a startup packet
const PATIENCE_MS = 10_000;

const message = (type, ...parts) => {
  const m = Buffer.concat([Buffer.from(type + "...."), ...parts.map((part) => Buffer.from(part))]);
  return (m.writeUInt32BE(m.length - 1, 1), m);
};
const PASSWORD = message("p", "any\0"); // the backend asks for one and takes whatever comes
const BUSY = message("E", "SFATAL\0C53300\0MPGlite: another client kept its transaction open\0\0");
// The WASM backend cannot wait for COPY data, so the data goes into a file of its in-memory file system first.
const COPY_IN = /^((?:\s|--.*\n)*copy\s[^;]*\sfrom\s+)stdin\b/i, COPY_FILE = "/tmp/copy-in";
const COPY_FAILED = message("Q",
  "DO $$BEGIN RAISE query_canceled USING MESSAGE = 'COPY from stdin failed'; END$$\0");

export function wire(db) {
  const clients = new Set();
  let owner = null, count = 0; // owner: the client inside a transaction or an exchange
  const run = (msg) => Buffer.from(db.execProtocolRawSync(new Uint8Array(msg)));
  const reset = (...sql) => sql.forEach((q) => db.execProtocol(message("Q", q, "\0"), { throwOnError: false }));

  function answer(c, { type, msg }) {
    const extended = "PBDEC".includes(type); // Parse, Bind, Describe, Execute, Close
    if (type === "S") c.skip = false; // Sync
    if (c.skip) return; // after an error the protocol wants silence up to Sync
    owner = c;
    if (c.copy) {
      if (type === "d") c.copy.data.push(msg.subarray(5)); // CopyData
      if (type !== "c" && type !== "f") return; // CopyDone, CopyFail
      db.Module.FS.writeFile(COPY_FILE, Buffer.concat(c.copy.data));
      msg = type === "c" ? c.copy.msg : COPY_FAILED;
      c.copy = null;
    } else if (type === "Q" && COPY_IN.test(msg.subarray(5))) {
      const sql = msg.toString("utf8", 5);
      c.copy = { data: [], msg: message("Q", sql.replace(COPY_IN, `$1'${COPY_FILE}'`)) };
      c.socket.write(message("G", [/\bbinary\b/i.test(sql) ? 1 : 0, 0, 0])); // CopyInResponse
      return;
    }
    // Each client has its own prepared statement names in Parse, Bind, Describe and Close.
    const ofStatement = "DC".includes(type) && String.fromCharCode(msg[5]) === "S";
    const at = type === "P" ? 5 : type === "B" ? msg.indexOf(0, 5) + 1 : ofStatement ? 6 : 0;
    if (at && msg[at]) msg = message(type, msg.subarray(5, at), c.id, msg.subarray(at));
    if (type === "startup") {
      if (clients.size === 1) reset("ROLLBACK", "DISCARD ALL", 'SET search_path = "$user", public');
      run(msg);
      msg = PASSWORD;
    }
    for (let out = run(msg), end; out.length; out = out.subarray(end)) {
      const kind = String.fromCharCode(out[0]);
      end = 1 + out.readUInt32BE(1);
      if (extended && kind === "E") c.skip = true;
      if (extended && kind === "Z") continue; // PGlite sends it too early after such an error
      if (kind === "Z" && out[5] === 73) owner = null; // idle: the next client may have a go
      c.socket.write(out.subarray(0, end));
    }
  }
  const pump = () => {
    for (let c; (c = owner ?? [...clients].find((o) => o.inbox.length)) && c.inbox.length; ) answer(c, c.inbox.shift());
  };
  const leave = (c) => {
    clients.delete(c);
    if (owner === c) { reset("ROLLBACK"); owner = null; }
    setImmediate(pump);
  };
  setInterval(() => { // an error is better than a silent deadlock
    for (const c of clients) if (c.inbox.length && Date.now() - c.inbox[0].since > PATIENCE_MS) c.socket.end(BUSY);
  }, 1000).unref();

  return (socket) => {
    const c = { socket, inbox: [], skip: false, copy: null, id: `c${count++}` };
    let buf = Buffer.alloc(0), started = false;
    clients.add(c);
    socket.on("error", () => {}).on("close", () => leave(c)).on("data", (chunk) => {
      buf = Buffer.concat([buf, chunk]); // a message may span chunks, a chunk hold many messages
      for (let head, size; buf.length >= (head = started ? 1 : 0) + 4; buf = buf.subarray(size)) {
        if (buf.length < (size = head + buf.readUInt32BE(head))) break;
        const msg = buf.subarray(0, size), type = started ? String.fromCharCode(msg[0]) : "startup";
        const request = started ? 0 : msg.readUInt32BE(4);
        if (NO_TLS.has(request)) { socket.write("N"); continue; }
        if (type === "X" || request === CANCEL) { socket.end(); return leave(c); }
        started = true;
        c.inbox.push({ type, msg, since: Date.now() });
      }
      setImmediate(pump); // after every socket was read, so that a goodbye is seen before a hello
    });
  };
}
