package rentcar

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Version agrees with the changelog, and with the tag of this commit where it has one.
func TestVersion(t *testing.T) {
	t.Parallel()
	if err := checkVersion(Version, readFile(t, "CHANGELOG.md"), releaseTags(t)); err != nil {
		t.Error(err)
	}
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	const unreleased, released = "# Changelog\n\n## Unreleased\n\n## 0.1.0\n", "# Changelog\n\n## 0.2.0 - 2026-12-01\n"
	for _, tc := range []struct {
		version, changelog string
		tags               []string
		ok                 bool
	}{
		{"0.2.0-dev", unreleased, nil, true},
		{"0.2.0", released, nil, true},
		{"0.2.0", released, []string{"v0.2.0"}, true},
		{"0.2.0", unreleased, nil, false},
		{"0.2.0-dev", released, nil, false},
		{"0.1.0", released, nil, false},
		{"0.2.0-dev", unreleased, []string{"v0.2.0"}, false},
		{"0.2.0", released, []string{"v0.2.1"}, false},
		{"0.2", "# Changelog\n\n## 0.2\n", nil, false},
		{"0.2.0", "# Changelog\n", nil, false},
	} {
		if err := checkVersion(tc.version, tc.changelog, tc.tags); (err == nil) != tc.ok {
			t.Errorf("%s %q %v: %v", tc.version, tc.changelog, tc.tags, err)
		}
	}
}

// checkVersion compares a version with the first heading of the changelog and the release tags of a commit.
func checkVersion(version, changelog string, tags []string) error {
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(-dev)?$`).MatchString(version) {
		return fmt.Errorf("version %s: want 1.2.3, or 1.2.3-dev between releases", version)
	}
	heading := regexp.MustCompile(`(?m)^## (\S+)`).FindStringSubmatch(changelog)
	if heading == nil {
		return fmt.Errorf("the changelog has no heading")
	}
	if top := heading[1]; top != version && (top != "Unreleased" || !strings.HasSuffix(version, "-dev")) {
		return fmt.Errorf("version %s: the changelog begins with %s", version, top)
	}
	for _, tag := range tags {
		if tag != "v"+version {
			return fmt.Errorf("version %s: this commit has the tag %s", version, tag)
		}
	}
	return nil
}

// releaseTags returns the release tags of the root module at this commit; none where this is no clone.
func releaseTags(t *testing.T) []string {
	t.Helper()
	// A copy inside the clone of another repository has that one's tags.
	prefix, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--show-prefix").Output()
	if err != nil || strings.TrimSpace(string(prefix)) != "" {
		return nil
	}
	tags, err := exec.CommandContext(t.Context(), "git", "tag", "--points-at", "HEAD", "--list", "v[0-9]*").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(tags))
}

// The tables of the guides to upgrading have names that are gone on the left and names that exist on the right.
func TestUpgradingNames(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	folders := map[string]string{"rentcar": ".", "storetest": "durable/storetest"}
	for _, name := range strings.Fields("fliggy events qimen pricing durable fliggytest merchantcheck") {
		folders[name] = name
	}
	for name, folder := range folders {
		for _, d := range exportedIn(packageSource(t, folder, name)) {
			exists[name+"."+d.name] = true
		}
	}
	name := regexp.MustCompile("`([a-z]+\\.[A-Z][A-Za-z.]*)`")
	var rows [][]string
	for _, guide := range []string{"docs/upgrading.md", "docs/upgrading.zh-CN.md"} {
		var names []string
		for _, row := range regexp.MustCompile("(?m)^\\| `(.*) \\| (.*) \\|$").FindAllStringSubmatch(readFile(t, guide), -1) {
			for i, cell := range []string{"`" + row[1], row[2]} {
				for _, m := range name.FindAllStringSubmatch(cell, -1) {
					names = append(names, m[1])
					if exists[m[1]] != (i == 1) {
						t.Errorf("%s: %s: exists: %v", guide, m[1], exists[m[1]])
					}
				}
			}
		}
		if len(names) < 80 {
			t.Errorf("%s: only %d names", guide, len(names))
		}
		rows = append(rows, names)
	}
	diff(t, "names of the two languages", rows[0], rows[1])
}
