package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// A disk is one that gets full, and then has room again.
type disk struct {
	path   string
	pragma string                         // of the data source name
	room   func(t *testing.T, db *sql.DB) // makes some
}

// limited is a database that takes 40 pages, as SQLite itself limits it: it ends as on a full disk.
func limited(t *testing.T) disk {
	return disk{
		path: filepath.Join(t.TempDir(), "a.db"), pragma: "&_pragma=max_page_count(40)",
		room: func(t *testing.T, db *sql.DB) {
			if _, err := db.ExecContext(t.Context(), "PRAGMA max_page_count(100000)"); err != nil {
				t.Error(err)
			}
		},
	}
}

// mounted is a file system of 32 MiB, of which 31 are taken. It needs the right to mount one. The room that it makes is
// more than the log of SQLite grows to, 4 MiB.
func mounted(t *testing.T) (d disk, isThere bool) {
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", dir).CombinedOutput()
	if err != nil {
		t.Logf("no file system is mounted here: %v: %s", err, out)
		return disk{}, false
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte("x"), 31<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return disk{path: filepath.Join(dir, "a.db"), room: func(t *testing.T, _ *sql.DB) {
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	}}, true
}

// While the disk is full events are turned away and nothing is marked; when it has room again all is done, once. On a
// file system that is really full where one can be mounted, and everywhere with the limit of SQLite.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	t.Run("limit", func(t *testing.T) { diskFull(t, limited(t)) })
	t.Run("disk", func(t *testing.T) {
		if d, isThere := mounted(t); isThere {
			diskFull(t, d)
		}
	})
}

func diskFull(t *testing.T, d disk) {
	t.Helper()
	db := pool(t, "sqlite", "file:"+d.path+sqliteOptions+d.pragma, 1)
	o := newOffice(t, engine{dialect: sqlstore.SQLite}, db)
	o.data = bytes.Repeat([]byte("x"), 8<<10)
	store := o.open(db)
	ctx, stop := context.WithCancel(t.Context())
	var adder, worker sync.WaitGroup
	adder.Go(func() { o.add(ctx, store, 0) })
	eventually(t, "events are turned away", func() bool { return o.refused.Load() > 0 })
	const full = "the database has no room: nothing that it has stored is lost, and work goes on when its disk has room: "
	wantError(t, o.no.Load().(error), full, "database or disk is full")

	working, stopWorking := context.WithCancel(t.Context())
	worker.Go(func() { o.work(working, store) })
	eventually(t, "more are turned away", func() bool { return o.refused.Load() > 5 })
	d.room(t, db)
	added := o.added.Load()
	eventually(t, "events are taken again", func() bool { return o.added.Load() > added+10 })
	stop()
	adder.Wait()
	eventually(t, "all is done", func() bool {
		count, err := store.Count(t.Context(), "in")
		return err == nil && count.Waiting == 0
	})
	stopWorking()
	worker.Wait()
	o.complete(db)
	t.Logf("%d events, turned away %d times, %d claims and %d attempts failed",
		o.added.Load(), o.refused.Load(), o.failed.Load(), o.undone.Load())
}
