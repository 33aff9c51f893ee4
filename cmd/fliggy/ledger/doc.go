// Package ledger makes batches of a settlement bill (结算单) out of a CSV file of money movements, and sends them so that
// an interrupted run goes on without sending a confirmed batch twice.
package ledger
