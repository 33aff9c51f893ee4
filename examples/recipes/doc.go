// Package recipes connects this library with others: object mappers, job queues, message brokers and routers. Each file
// is a recipe to copy, and its test runs it. Nobody imports the package.
package recipes
