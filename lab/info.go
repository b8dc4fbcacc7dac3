package lab

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/unjam/unjam/lab/cloud"
)

// Info is what GET /_lab/ answers, as JSON. The keys in it are those of simulated callers; they open nothing anywhere.
type Info struct {
	Now      time.Time      `json:"now"`
	Services []string       `json:"services"` // signing names
	Accounts []AccountInfo  `json:"accounts"`
	Callers  []CallerInfo   `json:"callers"`
	Ledger   []LedgerRecord `json:"ledger"`
}

// AccountInfo is one account of the lab.
type AccountInfo struct {
	ID      string            `json:"id"`
	Alias   string            `json:"alias,omitempty"`
	Regions map[string]string `json:"regions"` // name to ENABLED, ENABLED_BY_DEFAULT or DISABLED
}

// CallerInfo is one way to sign requests to the lab.
type CallerInfo struct {
	Name            string     `json:"name"`
	Account         string     `json:"account"`
	ARN             string     `json:"arn"`
	AccessKeyID     string     `json:"accessKeyId"`
	SecretAccessKey string     `json:"secretAccessKey"`
	SessionToken    string     `json:"sessionToken,omitempty"`
	Expires         *time.Time `json:"expires,omitempty"`
}

// LedgerRecord is one call that reached the lab over HTTP.
type LedgerRecord struct {
	Start     time.Time      `json:"start"`
	End       time.Time      `json:"end"`
	RequestID string         `json:"requestId"`
	Service   string         `json:"service"`
	Operation string         `json:"operation"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Caller    string         `json:"caller"`
	ReadOnly  bool           `json:"readOnly"`
	ErrorCode string         `json:"errorCode,omitempty"`
	Injected  string         `json:"injected,omitempty"`
	In        map[string]any `json:"in,omitempty"`
}

// Info describes the lab at this moment.
func (l *Lab) Info() Info {
	i := Info{Services: []string{}, Accounts: []AccountInfo{}, Callers: []CallerInfo{}, Ledger: []LedgerRecord{}}
	l.Cloud.Within(func() {
		i.Now = l.Cloud.Now()
		for _, s := range l.Cloud.Services() {
			i.Services = append(i.Services, s.Name)
		}
		for _, a := range l.Cloud.Accounts() {
			i.Accounts = append(i.Accounts, AccountInfo{ID: a.ID, Alias: a.Alias, Regions: a.Status()})
		}
		for _, k := range l.Cloud.Callers() {
			i.Callers = append(i.Callers, callerInfo(k))
		}
	})
	for _, k := range l.Cloud.Ledger() {
		i.Ledger = append(i.Ledger, LedgerRecord(k))
	}
	return i
}

func callerInfo(k *cloud.Caller) CallerInfo {
	c := CallerInfo{Name: k.Name, Account: k.Account, ARN: k.ARN, AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
	if !k.Expires.IsZero() {
		c.Expires = &k.Expires
	}
	return c
}

func (l *Lab) info(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "the lab answers only GET here", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(l.Info()) // a client that went away is its own business
}
