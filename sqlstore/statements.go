package sqlstore

import "strings"

// itemColumns are the columns of an item, in the order of scanItem.
const itemColumns = "queue, id, digest, data, trace, attempt, added, due"

// statements are those of a dialect, with the prefix of its tables. States are written out: with a parameter in their
// place, the generic plan of PostgreSQL leaves the partial indexes.
type statements struct {
	insert  string // queue, id, digest, data, trace, added, due
	known   string // queue, id
	claim   string // queue, now, n, and for PostgreSQL until
	claimed string // until, then a list of seq: not for PostgreSQL
	mark    string // the claim: queue, id, attempt
	retry   string // due, then the claim
	park    string // reason, then the claim

	parked  string // queue, n: items with reason and ended
	one     string // queue, id
	release string // due, queue, id
	drop    string // queue, id
	sweep   string // queue, ended, n
	counts  string // queue

	doc     string // kind, id
	docs    string // kind, key
	byKey   string // kind, key, and a place
	byState string // kind, state, and a place: at, at, id, before, n
	docsDue string // n
	addDoc  string // kind, id, version, state, at, due, names, data
	setDoc  string // version, state, at, due, names, data, kind, id, version
	delDoc  string // kind, id, version
	delKeys string // kind, id
	addKeys string // a list of kind, name, at, id, sole
}

func statementsOf(d Dialect, prefix string) statements {
	const (
		insert = "INSERT INTO rentcar_items (queue, id, digest, data, trace, added, due) VALUES (?, ?, ?, ?, ?, ?, ?)"
		due    = " FROM rentcar_items WHERE queue = ? AND state = 0 AND due <= ? ORDER BY due, seq LIMIT ?"
		// SQLite goes by a partial index only where its condition is repeated.
		done = " WHERE queue = ? AND state = 1 AND state <> 0 AND ended < ? ORDER BY ended LIMIT ?"
	)
	yes, no := "1", "0"
	if d == PostgreSQL {
		yes, no = "TRUE", "FALSE"
	}
	held := " WHERE queue = ? AND id = ? AND attempt = ? AND state = 0 AND claimed = " + yes
	s := statements{
		insert:  insert + " ON CONFLICT (queue, id) DO NOTHING",
		known:   "SELECT " + itemColumns + " FROM rentcar_items WHERE queue = ? AND id = ?",
		claim:   "SELECT " + itemColumns + ", due, seq" + due,
		claimed: "UPDATE rentcar_items SET claimed = 1, attempt = attempt + 1, due = ? WHERE seq IN (",
		mark:    "UPDATE rentcar_items SET state = 1, data = NULL, ended = " + d.now() + held,
		retry:   "UPDATE rentcar_items SET claimed = " + no + ", due = ?" + held,
		park:    "UPDATE rentcar_items SET state = 2, ended = " + d.now() + ", reason = ?" + held,

		parked: "SELECT " + itemColumns + ", reason, ended FROM rentcar_items WHERE queue = ? AND state = 2" +
			" AND state <> 0 ORDER BY ended, seq LIMIT ?",
		one: "SELECT " + itemColumns + ", reason, ended FROM rentcar_items WHERE queue = ? AND id = ? AND state = 2",
		release: "UPDATE rentcar_items SET state = 0, claimed = " + no + ", due = ?, ended = NULL, reason = ''" +
			" WHERE queue = ? AND id = ? AND state = 2",
		drop:  "DELETE FROM rentcar_items WHERE queue = ? AND id = ? AND state = 2",
		sweep: "DELETE FROM rentcar_items WHERE seq IN (SELECT seq FROM rentcar_items" + done + ")",
		counts: "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 2 THEN 1 ELSE 0 END), 0)," +
			" MIN(CASE WHEN state = 0 THEN due END) FROM rentcar_items WHERE queue = ? AND state IN (0, 2)",
	}
	s.setDocs(d)
	switch d {
	case PostgreSQL:
		// IN would compare all rows of the table.
		s.sweep = "DELETE FROM rentcar_items WHERE seq = ANY (ARRAY(SELECT seq FROM rentcar_items" + done + "))"
		s.claim = "WITH chosen AS MATERIALIZED (SELECT seq, due" + due + " FOR UPDATE SKIP LOCKED)" +
			" UPDATE rentcar_items AS i SET claimed = TRUE, attempt = i.attempt + 1, due = ? FROM chosen" +
			" WHERE i.seq = chosen.seq" +
			" RETURNING i.queue, i.id, i.digest, i.data, i.trace, i.attempt, i.added, i.due, chosen.due, i.seq"
	case MySQL:
		s.insert = insert                // ON DUPLICATE KEY tells too little, and IGNORE passes other errors by
		s.known += " LOCK IN SHARE MODE" // a row that was added by another since the transaction of the user began
		s.claim += " FOR UPDATE SKIP LOCKED"
		s.sweep = "DELETE i FROM (SELECT seq FROM rentcar_items FORCE INDEX (rentcar_items_ended)" + done + ") AS old" +
			" STRAIGHT_JOIN rentcar_items AS i ON i.seq = old.seq"
	}
	for _, text := range []*string{
		&s.insert, &s.known, &s.claim, &s.claimed, &s.mark, &s.retry, &s.park,
		&s.parked, &s.one, &s.release, &s.drop, &s.sweep, &s.counts,
		&s.doc, &s.docs, &s.byKey, &s.byState, &s.docsDue, &s.addDoc, &s.setDoc, &s.delDoc, &s.delKeys,
	} {
		*text = d.bind(strings.ReplaceAll(*text, "rentcar_", prefix))
	}
	s.addKeys = strings.ReplaceAll(s.addKeys, "rentcar_", prefix)
	return s
}

// docColumns are the columns of a document, in the order of scanDoc.
const docColumns = "d.kind, d.id, d.version, d.state, d.at, d.due, d.names, d.data"

// setDocs sets the statements for documents.
func (s *statements) setDocs(d Dialect) {
	const (
		from = "SELECT " + docColumns + " FROM rentcar_docs AS d"
		keys = "SELECT " + docColumns + " FROM rentcar_keys AS k JOIN rentcar_docs AS d ON d.kind = k.kind AND d.id = k.id" +
			" WHERE k.kind = ? AND k.name = ?"
		// Not (at, id) > (?, ?), which MySQL reads the whole index for.
		place = " AND %.at >= ? AND (%.at > ? OR %.id > ?) AND %.at < ? ORDER BY %.at, %.id LIMIT ?"
	)
	s.doc = from + " WHERE d.kind = ? AND d.id = ?"
	s.docs = keys + " ORDER BY k.at, k.id"
	s.byKey = keys + strings.ReplaceAll(place, "%", "k")
	s.byState = from + " WHERE d.kind = ? AND d.state = ?" + strings.ReplaceAll(place, "%", "d")
	s.docsDue = from + " WHERE d.due <= " + d.now() + " ORDER BY d.due LIMIT ?"
	if d == PostgreSQL { // which would compare all rows with a clock that changes
		s.docsDue = from + " WHERE d.due <= (SELECT " + d.now() + ") ORDER BY d.due LIMIT ?"
	}
	s.addDoc = "INSERT INTO rentcar_docs (kind, id, version, state, at, due, names, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
	s.setDoc = "UPDATE rentcar_docs SET version = ?, state = ?, at = ?, due = ?, names = ?, data = ?" +
		" WHERE kind = ? AND id = ? AND version = ?"
	s.delDoc = "DELETE FROM rentcar_docs WHERE kind = ? AND id = ? AND version = ?"
	s.delKeys = "DELETE FROM rentcar_keys WHERE kind = ? AND id = ?"
	s.addKeys = "INSERT INTO rentcar_keys (kind, name, at, id, sole) VALUES "
	if d != MySQL { // where a duplicate is an error that leaves the transaction as it was
		s.addDoc += " ON CONFLICT DO NOTHING"
	}
}
