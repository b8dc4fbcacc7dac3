package console

import (
	"fmt"
	"html"
	"strings"

	"github.com/unjam/unjam/lab/provider"
)

// The pages are written by hand and not with html/template: running a template looks methods up by name, which makes the linker keep
// every operation of every AWS client in the program, three times its size. markup escapes every value.
type markup struct{ strings.Builder }

// add writes HTML with a value, escaped, at each %s.
func (m *markup) add(format string, values ...string) {
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = html.EscapeString(v)
	}
	fmt.Fprintf(m, format, escaped...)
}

// put is add with the end of the line.
func (m *markup) put(format string, values ...string) { m.add(format+"\n", values...) }

const style = `<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 0 1rem; color: #16191f; }
header { border-bottom: 1px solid #aab; padding: .6rem 0; display: flex; gap: 1rem; align-items: center; justify-content: space-between; flex-wrap: wrap; }
h1 { font-size: 1.4rem; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #d5dbdb; vertical-align: top; overflow-wrap: anywhere; } th { white-space: nowrap; }
#error { border-left: 4px solid #b00; background: #fdf3f1; padding: .6rem; } #notice { border-left: 4px solid #07c; background: #f1f8ff; padding: .6rem; }
button { font: inherit; padding: .3rem .9rem; } select, input { font: inherit; } form { margin: 1rem 0; }
label { display: block; margin: .4rem 0; }
</style>`

// render is a page as HTML.
func render(p *page) string {
	m := &markup{}
	m.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	m.put("<title>%s (lab)</title>", p.Title)
	m.WriteString(style + "\n</head>\n<body>\n<header>\n")
	m.header(p)
	m.put("</header>\n<main>\n<h1>%s</h1>", p.Title)
	if p.Error != "" {
		m.put(`<p id="error" role="alert">%s</p>`, p.Error)
	}
	if p.Notice != "" {
		m.put(`<p id="notice">%s</p>`, p.Notice)
	}
	if p.OwnerPage != "" {
		m.put(`<p><a id="owner-page" href="%s">The owner's page at the provider</a></p>`, p.OwnerPage)
	}
	m.body(p)
	m.WriteString("</main>\n</body>\n</html>\n")
	return m.String()
}

func (m *markup) body(p *page) {
	switch {
	case p.View == "list":
		m.list(p)
	case p.View == "connection" && p.Connection != nil:
		m.connection(p)
	case p.View == "targets":
		m.targets(p)
	case p.View == "install":
		m.install(p)
	case p.View == "host" && p.Host != nil:
		m.host(p)
	case p.View == "provider" && p.Org != nil:
		m.provider(p)
	}
}

func (m *markup) header(p *page) {
	if p.View == "provider" {
		m.put("<strong>Git provider (lab)</strong>")
		return
	}
	m.put(`<a href="/codesuite/settings/connections?region=%s">Developer Tools: Connections (lab)</a>`, p.Region)
	m.put(`<form method="get" action="%s">`, p.Path)
	if p.View == "list" {
		m.put(`<input type="hidden" name="region" value="%s">`, p.Region)
	}
	m.put("<span>Account %s</span>", p.Account)
	m.choice("caller", "as", ` aria-label="Act as"`, p.Callers, p.Caller)
	m.put("<button id=\"switch-caller\">Act as</button>\n</form>")
}

// choice is a select of names.
func (m *markup) choice(id, name, more string, all []string, now string) {
	m.add(`<select id="%s" name="%s"`+more+`>`, id, name)
	for _, x := range all {
		m.add("<option"+selected(x == now)+">%s</option>", x)
	}
	m.put("</select>")
}

func selected(is bool) string {
	if is {
		return " selected"
	}
	return ""
}

// form begins a form that is posted to the page itself, with hidden fields as name and value.
func (m *markup) form(p *page, hidden ...string) {
	m.put(`<form method="post" action="%s">`, p.Path)
	for i := 0; i+1 < len(hidden); i += 2 {
		m.put(`<input type="hidden" name="%s" value="%s">`, hidden[i], hidden[i+1])
	}
}

func (m *markup) logins(p *page) {
	m.put("<label>Sign in at the provider as")
	m.choice("login", "login", "", p.Logins, p.Login)
	m.put("</label>")
}

func (m *markup) list(p *page) {
	m.rows("connections", p.Connections)
	m.put("<h1>Hosts in %s</h1>", p.Region)
	m.rows("hosts", p.Hosts)
}

func (m *markup) rows(id string, all []link) {
	m.put(`<table id="%s"><thead><tr><th>Name</th><th>Provider</th><th>Status</th><th>ARN</th></tr></thead>`, id)
	m.put("<tbody>")
	for _, l := range all {
		m.put(`<tr><td><a href="%s">%s</a></td><td>%s</td><td>%s`, l.Href, l.Name, l.Provider, l.Status)
		if l.Message != "" {
			m.put("<br>%s", l.Message)
		}
		m.put("</td><td>%s</td></tr>", l.ARN)
	}
	m.put("</tbody></table>")
}

func (m *markup) connection(p *page) {
	c := p.Connection
	m.put("<table>\n"+`<tr><th>Name</th><td id="name">%s</td></tr>`, c.Name)
	m.put(`<tr><th>Status</th><td id="status">%s</td></tr>`, c.Status)
	m.put("<tr><th>Provider</th><td>%s</td></tr>", c.ProviderType)
	m.put(`<tr><th>ARN</th><td id="arn">%s</td></tr>`, c.ARN)
	if c.HostARN != "" {
		m.put("<tr><th>Host</th><td>%s</td></tr>", c.HostARN)
	}
	m.put("</table>")
	switch {
	case len(p.Hosts) > 0:
		for _, h := range p.Hosts {
			m.put(`<p><a id="host-page" href="%s">Set up host %s</a></p>`, h.Href, h.Name)
		}
	case c.Status == "PENDING":
		m.form(p, "as", p.Caller, "step", "update")
		m.logins(p)
		m.put("<button id=\"update-pending\">Update pending connection</button>\n</form>")
	}
}

func (m *markup) targets(p *page) {
	m.put("<p>Signed in at %s as %s. Choose where the app is installed, or install it anew.</p>", p.Connection.ProviderType, p.Login)
	if len(p.Installations) > 0 {
		m.form(p, "as", p.Caller, "step", "connect", "login", p.Login)
		m.put("<label>App installation\n<select id=\"installation\" name=\"installation\">")
		for _, x := range p.Installations {
			m.put(`<option value="%s"`+selected(x.ID == p.Chosen)+`>%s (%s)</option>`, x.ID, x.Org, x.ID)
		}
		m.put("</select></label>\n<button id=\"connect\">Connect</button>\n</form>")
	}
	m.form(p, "as", p.Caller, "step", "new", "login", p.Login)
	m.put("<button id=\"install-new\">Install a new app</button>\n</form>")
	m.put(`<p><a id="leave" href="%s">Cancel</a></p>`, p.Path)
}

func (m *markup) install(p *page) {
	m.put("<p>%s, signed in as %s: where should AWS's app be installed?</p>", p.Connection.ProviderType, p.Login)
	m.form(p, "as", p.Caller, "step", "install", "login", p.Login)
	var names []string
	var repos []*provider.Repo
	for _, o := range p.Orgs {
		names = append(names, o.Name)
		repos = append(repos, o.Repos()...)
	}
	m.put("<label>Organization")
	m.choice("org", "org", "", names, "")
	m.put("</label>\n<fieldset><legend>Only these repositories (none: all)</legend>")
	for _, r := range repos {
		m.put(`<label><input type="checkbox" name="repo" value="%s"> %s</label>`, r.FullName, r.FullName)
	}
	m.put("</fieldset>\n<button id=\"install\">Install</button>\n</form>")
	m.put(`<p><a id="leave" href="%s">Cancel</a></p>`, p.Path)
}

func (m *markup) host(p *page) {
	h := p.Host
	m.put("<table>\n"+`<tr><th>Name</th><td id="name">%s</td></tr>`, h.Name)
	m.put(`<tr><th>Status</th><td id="status">%s</td></tr>`, h.Status)
	m.put("<tr><th>Provider</th><td>%s</td></tr>\n<tr><th>Endpoint</th><td>%s</td></tr>", h.ProviderType, h.Endpoint)
	m.put("<tr><th>ARN</th><td id=\"arn\">%s</td></tr>\n</table>", h.ARN)
	if h.Status == "PENDING" {
		m.form(p, "as", p.Caller)
		m.put(`<label>Sign in at the server as <input id="login" name="login" value="%s" autocomplete="off"></label>`, p.Login)
		m.put("<button id=\"set-up-host\">Set up host</button>\n</form>")
	}
}

func (m *markup) provider(p *page) {
	o := p.Org
	m.put("<p>%s organization %s, owned by %s.</p>", string(o.Type), o.Name, o.Owner)
	switch app := o.App; {
	case app == nil:
		m.put(`<p id="app">AWS's app is not installed.</p>`)
	case app.Suspended:
		m.put(`<p id="app">AWS's app is installed (%s), suspended.</p>`, app.ID)
	default:
		m.put(`<p id="app">AWS's app is installed (%s).</p>`, app.ID)
	}
	m.put(`<ul id="requests">`)
	for _, r := range o.Requests {
		m.put("<li>%s asks for AWS's app%s</li>", r.By, strings.Join(append([]string{""}, r.Repos...), ", "))
	}
	m.put("</ul>")
	if len(o.Requests) > 0 {
		m.form(p, "type", string(o.Type))
		m.logins(p)
		m.put("<button id=\"approve\">Approve</button>\n</form>")
	}
}
