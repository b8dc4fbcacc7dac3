// Package console serves the web pages a person meets when completing a connection: the AWS console at its deep links,
// and the provider's page where an organisation's owner approves the app. It never changes anything but through calls
// that are authorised and logged as the chosen caller, or as a login of the provider.
//
// Pages:
//
//	/codesuite/settings/connections?region=R                              connections and hosts of the caller's account
//	/codesuite/settings/{account}/{region}/{service}/connections/{id}     one connection
//	/codesuite/settings/{account}/{region}/{service}/hosts/{id}           one host
//	/_provider/{org}/installations[?type=T]                               the provider's side of one organisation
//
// Element ids, stable for browser tests:
//
//	caller, switch-caller      whom to act as (also ?as=NAME, remembered in a cookie)
//	error, notice              what went wrong, what to know; absent when there is nothing
//	connections, hosts         tables of the list page
//	status, arn, name          of the connection or host
//	login, update-pending      provider login to use; begins the handshake of a PENDING connection
//	installation, connect      the installation to bind; ends the handshake
//	install-new, org, install  to the provider's install page; the organisation to install on; install
//	leave                      link back, leaving the handshake half way
//	owner-page                 link to the provider page where the owner can approve
//	set-up-host                sets up a PENDING host with the login in "login"
//	app, requests, approve     the provider's page: the installation, waiting requests, approval as "login"
package console

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const cookieName = "lab-caller"

type handler struct {
	c     *cloud.Cloud
	conns *connections.Service
	dir   *provider.Directory
}

// New returns the handler of all pages; mount it at /codesuite/ and /_provider/. It refuses forms posted by other sites.
func New(c *cloud.Cloud, conns *connections.Service, dir *provider.Directory) http.Handler {
	h := &handler{c: c, conns: conns, dir: dir}
	mux := http.NewServeMux()
	const one = "/codesuite/settings/{account}/{region}/{service}"
	mux.HandleFunc("GET /codesuite/settings/connections", h.as(h.list))
	mux.HandleFunc("GET "+one+"/connections/{id}", h.as(h.connection))
	mux.HandleFunc("POST "+one+"/connections/{id}", h.as(h.step))
	mux.HandleFunc("GET "+one+"/hosts/{id}", h.as(h.host))
	mux.HandleFunc("POST "+one+"/hosts/{id}", h.as(h.setUpHost))
	mux.HandleFunc("GET /_provider/{org}/installations", h.at(h.installations))
	mux.HandleFunc("POST /_provider/{org}/installations", h.at(h.approve))
	return http.NewCrossOriginProtection().Handler(mux)
}

// page is what a page shows (render).
type page struct {
	View, Title     string
	Path            string // of this page, for its forms
	Account, Region string
	Caller          string
	Callers         []string
	Error, Notice   string
	Code            int    // HTTP status
	Redirect        string // instead of a page

	Connection    *connections.Connection
	Connections   []link
	Host          *connections.Host
	Hosts         []link
	Login         string
	Logins        []string
	Installations []*provider.Installation
	Chosen        string // installation
	Orgs          []*provider.Org
	Org           *provider.Org
	OwnerPage     string
}

// link is one row of the list page.
type link struct{ Name, Provider, Status, Message, ARN, Href string }

func (p *page) fail(code int, text string) { p.Code, p.Error = code, text }

// as runs f, under the lock, as the caller the browser chose among those of the page's account.
func (h *handler) as(f func(*page, connections.Person, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := &page{Path: r.URL.Path, Code: http.StatusOK, Account: r.PathValue("account"), Region: r.PathValue("region")}
		h.within(w, r, p, func() {
			who := h.choose(p, r)
			if who == nil {
				p.View, p.Title = "error", "Connections"
				p.fail(http.StatusNotFound, "No such caller can sign in to this console.")
				return
			}
			p.Caller, p.Account = who.Name, who.Account
			ip, _, _ := net.SplitHostPort(r.RemoteAddr)
			f(p, connections.Person{Principal: who.Principal, Origin: cloud.Origin{UserAgent: r.UserAgent(), SourceIP: ip}}, r)
		})
	}
}

// choose picks the caller the form or the address names, else the one the cookie remembers, else the first of the
// account; it fills the names to choose from. nil: there is none, or the one named outright is not among them.
func (h *handler) choose(p *page, r *http.Request) *cloud.Caller {
	var all []*cloud.Caller
	for _, k := range h.c.Callers() {
		if p.Account == "" || k.Account == p.Account {
			all = append(all, k)
			p.Callers = append(p.Callers, k.Name)
		}
	}
	if len(all) == 0 {
		return nil
	}
	named := r.FormValue("as")
	wanted := named
	if k, err := r.Cookie(cookieName); err == nil && named == "" {
		wanted, _ = url.QueryUnescape(k.Value)
	}
	if i := slices.Index(p.Callers, wanted); i >= 0 {
		return all[i]
	}
	if named != "" {
		return nil
	}
	return all[0]
}

// at runs f, under the lock, on a page of the provider, where AWS callers mean nothing.
func (h *handler) at(f func(*page, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := &page{Path: r.URL.Path, Code: http.StatusOK, View: "provider"}
		h.within(w, r, p, func() { f(p, r) })
	}
}

// within runs f and writes the page under the lock, then answers without it.
func (h *handler) within(w http.ResponseWriter, r *http.Request, p *page, f func()) {
	var text string
	h.c.Within(func() {
		f()
		text = render(p)
	})
	if p.Caller != "" {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: url.QueryEscape(p.Caller), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	if p.Redirect != "" {
		http.Redirect(w, r, p.Redirect, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Code)
	_, _ = io.WriteString(w, text) // the browser went away: nobody is left to tell
}
