// Package acceptance holds tests that drive several packages together, through their public API alone: nothing
// secret leaves (secrets_table), nothing is lost or done twice while the network fails (chaos), and the in-process
// Fliggy and the client agree.
package acceptance
