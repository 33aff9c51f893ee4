// Package acceptance holds the tests that drive several packages together: nothing secret leaves (secrets_table),
// nothing is lost or done twice while the network or a process fails (chaos, outbox_chaos), no member that is missing
// passes for a value (contract_missing). Package soak below it measures memory and goroutines under load, in a process
// of its own. A test of one package stands in that package.
package acceptance
