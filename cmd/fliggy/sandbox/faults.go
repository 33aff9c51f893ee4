package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A faultSpec is a fault as the control API takes and shows it.
type faultSpec struct {
	Kind        string   `json:"kind"`
	Methods     []string `json:"methods,omitempty"`      // API names; none for all
	Times       *int     `json:"times,omitempty"`        // 0 for always; 1 by default, always for those that last
	Seconds     float64  `json:"seconds,omitempty"`      // of a delay or a ban
	AfterCommit bool     `json:"after_commit,omitempty"` // the request is carried out first
	SubCode     string   `json:"sub_code,omitempty"`     // of a ban: api, app, app_api or dynamic
	Status      int      `json:"status,omitempty"`       // of http_status
	Code        string   `json:"code,omitempty"`         // of business
	Message     string   `json:"message,omitempty"`      // of business
}

// A fault is one that was set.
type fault struct {
	id   string
	spec faultSpec
	stop func()
}

// htmlPage is what a proxy in front of the gateway answers.
const htmlPage = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>" +
	"<body><h1>502 Bad Gateway</h1></body></html>"

// kinds are the faults, by the name that the control API has for them.
var kinds = map[string]func(f *faultSpec) (fliggytest.Fault, error){
	"cut":            func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.CutOff(), nil },
	"dropped":        func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.Dropped(), nil },
	"hanging":        func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.Hanging(), nil },
	"unavailable":    func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.Unavailable(), nil },
	"gbk":            func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.InGBK(), nil },
	"no_flag":        func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.NoFlag(), nil },
	"truncated_gzip": func(*faultSpec) (fliggytest.Fault, error) { return fliggytest.TruncatedGzip(), nil },
	"html": func(*faultSpec) (fliggytest.Fault, error) {
		return fliggytest.RawBody(http.StatusBadGateway, "text/html;charset=UTF-8", []byte(htmlPage)), nil
	},
	"delay": func(f *faultSpec) (fliggytest.Fault, error) {
		d, err := f.duration()
		return fliggytest.Delayed(d), err
	},
	"ban": func(f *faultSpec) (fliggytest.Fault, error) {
		d, err := f.duration()
		subCode, ok := bans[cmp.Or(f.SubCode, "api")]
		if err == nil && !ok {
			err = &invalid{"sub_code", "want api, app, app_api or dynamic"}
		}
		return fliggytest.Banned(d, subCode), err
	},
	"http_status": func(f *faultSpec) (fliggytest.Fault, error) {
		if f.Status < 200 || f.Status > 599 {
			return fliggytest.Fault{}, &invalid{"status", "want an HTTP status, 200 to 599"}
		}
		return fliggytest.HTTPStatus(f.Status), nil
	},
	"business": func(f *faultSpec) (fliggytest.Fault, error) {
		if f.Code == "" {
			return fliggytest.Fault{}, &invalid{"code", "missing: want the code of the refusal, such as 012"}
		}
		return fliggytest.Failed(&rentcar.BusinessError{Code: f.Code, Message: f.Message}), nil
	},
}

var bans = map[string]string{
	"api": fliggytest.BanAPI, "app": fliggytest.BanApp, "app_api": fliggytest.BanAppAPI, "dynamic": fliggytest.BanDynamic,
}

// duration is how long a delay or a ban lasts.
func (f *faultSpec) duration() (time.Duration, error) {
	if f.Seconds <= 0 || f.Seconds > 86400 {
		return 0, &invalid{"seconds", "want a number of seconds above 0, 86400 at most"}
	}
	return time.Duration(f.Seconds * float64(time.Second)), nil
}

// fault makes the fault that a spec describes.
func (f *faultSpec) fault() (fliggytest.Fault, error) {
	build, ok := kinds[f.Kind]
	if !ok {
		return fliggytest.Fault{}, &invalid{"kind", fmt.Sprintf("there is no fault %q: want one of %v", f.Kind, kindNames())}
	}
	made, err := build(f)
	if err != nil {
		return made, err
	}
	if f.Times != nil {
		if *f.Times < 0 {
			return made, &invalid{"times", "want 0 for always, or how many calls it hits"}
		}
		made = made.Times(*f.Times)
	}
	if slices.Contains(f.Methods, "") {
		return made, &invalid{"methods", "want API names; none for all"}
	}
	if len(f.Methods) > 0 {
		made = made.On(f.Methods...)
	}
	if f.AfterCommit {
		made = made.AfterCommit()
	}
	return made, nil
}

func kindNames() []string {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (s *Sandbox) addFault(r *http.Request) (any, error) {
	var spec faultSpec
	if err := decode(r, &spec); err != nil {
		return nil, err
	}
	made, err := spec.fault()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastFault++
	f := &fault{id: fmt.Sprintf("fault-%d", s.lastFault), spec: spec}
	f.stop = s.gateway.Fail(made.Named(made.String() + " (" + f.id + ")"))
	s.faults = append(s.faults, f)
	s.bell.ring(false)
	return map[string]any{"id": f.id}, nil
}

// A faultView is a fault that calls may still hit.
type faultView struct {
	ID string `json:"id"`
	faultSpec
	Name  string `json:"name"`
	Left  int    `json:"left"`            // how many calls it will still hit; -1 for all
	Until string `json:"until,omitempty"` // when it ends
}

func (s *Sandbox) getFaults(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	active := s.gateway.ActiveFaults()
	views, still := []faultView{}, s.faults[:0]
	for _, f := range s.faults {
		i := slices.IndexFunc(active, func(a fliggytest.ActiveFault) bool { return hasID(a.Name, f.id) })
		if i < 0 {
			continue // it has hit all that it was for, or its time is over
		}
		still = append(still, f)
		views = append(views, faultView{
			ID: f.id, faultSpec: f.spec, Name: active[i].Name, Left: active[i].Left, Until: stamp(active[i].Until),
		})
	}
	clear(s.faults[len(still):])
	s.faults = still
	return map[string]any{"faults": views, "kinds": kindNames()}, nil
}

func hasID(name, id string) bool {
	end := " (" + id + ")"
	return len(name) >= len(end) && name[len(name)-len(end):] == end
}

func (s *Sandbox) removeFault(r *http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("id")
	i := slices.IndexFunc(s.faults, func(f *fault) bool { return f.id == id })
	if i < 0 {
		return nil, &missing{"fault", id}
	}
	s.faults[i].stop()
	s.faults = slices.Delete(s.faults, i, i+1)
	s.bell.ring(false)
	return map[string]any{}, nil
}

func (s *Sandbox) clearFaults(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		f.stop()
	}
	s.faults = nil
	s.bell.ring(false)
	return map[string]any{}, nil
}
