package console_test

import (
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/unjam/unjam/lab/cloud"
	"github.com/unjam/unjam/lab/console"
	"github.com/unjam/unjam/lab/provider"
	"github.com/unjam/unjam/lab/svc/connections"
)

const (
	ours   = "111111111111"
	theirs = "222222222222"
)

// denials is an authorizer that refuses some callers some actions, as "name action".
type denials map[string]bool

func (d denials) Authorize(p cloud.Principal, a cloud.Access) cloud.Decision {
	if d[p.Session+" "+a.Action] {
		return cloud.Decision{Why: "because no identity-based policy allows the " + a.Action + " action"}
	}
	return cloud.Decision{Allowed: true}
}

// site is the console over a lab with the callers ada and bob of one account and eve of another, GitHub's acme
// (owner octo, member hubot), octo's own account, and one PENDING connection.
type site struct {
	*testing.T
	c       *cloud.Cloud
	s       *connections.Service
	git     *provider.Directory
	deny    denials
	url     string
	browser *http.Client
	arn     string
	page    string // deep link of the connection
}

func newSite(t *testing.T) *site {
	t.Helper()
	c := cloud.New()
	x := &site{T: t, c: c, git: provider.New(c), deny: denials{}}
	x.s = connections.New(c, x.git)
	c.SetAuthorizer(x.deny)
	for i, who := range []struct{ name, account string }{{"ada", ours}, {"bob", ours}, {"eve", theirs}} {
		c.AddCaller(&cloud.Caller{Name: who.name, AccessKeyID: "ASIA" + string(rune('A'+i)), Principal: cloud.Principal{
			Type: "AssumedRole", Account: who.account, Session: who.name, ARN: "arn:aws:sts::" + who.account + ":assumed-role/Dev/" + who.name}})
	}
	_, err1 := x.git.AddOrg(provider.GitHub, "acme", "octo", "hubot")
	_, err2 := x.git.AddOrg(provider.GitHub, "octo", "octo")
	_, err3 := x.git.AddRepo(provider.GitHub, "acme/app")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	x.arn = x.serve("CreateConnection", map[string]any{"ConnectionName": "<b>hub</b>", "ProviderType": "GitHub"})["ConnectionArn"].(string)
	x.page = console.DeepLink(x.arn)
	web := httptest.NewServer(console.New(c, x.s, x.git))
	t.Cleanup(web.Close)
	jar, _ := cookiejar.New(nil)
	x.url, x.browser = web.URL, &http.Client{Jar: jar}
	return x
}

func (x *site) serve(op string, in map[string]any) map[string]any {
	x.Helper()
	var out map[string]any
	var err error
	x.c.Within(func() {
		out, err = x.c.Serve(&cloud.Request{Service: connections.New20231201, Operation: op, Region: "us-east-1",
			Caller: x.c.CallerByName("ada").Principal, In: in})
	})
	if err != nil {
		x.Fatal(err)
	}
	return out
}

func (x *site) status() string {
	k := x.serve("GetConnection", map[string]any{"ConnectionArn": x.arn})["Connection"].(map[string]any)
	return k["ConnectionStatus"].(string)
}

func (x *site) get(path string) (int, string) {
	x.Helper()
	r, err := x.browser.Get(x.url + path)
	return x.read(r, err)
}

// post submits a form: pairs of name and value.
func (x *site) post(path string, pairs ...string) (int, string) {
	x.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r, err := x.browser.PostForm(x.url+path, form)
	return x.read(r, err)
}

func (x *site) read(r *http.Response, err error) (int, string) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		x.Fatal(err)
	}
	for _, link := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(string(b), -1) {
		if !strings.HasPrefix(link[1], "/codesuite/") && !strings.HasPrefix(link[1], "/_provider/") {
			x.Errorf("a link leads outside: %s", link[1])
		}
	}
	return r.StatusCode, string(b)
}

// element is the text of the element with an id, "" when the page has none.
func element(page, id string) string {
	m := regexp.MustCompile(`(?s)id="` + id + `"[^>]*>([^<]*)`).FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

func has(page, id string) bool { return strings.Contains(page, `id="`+id+`"`) }

func TestCompletesAConnection(t *testing.T) {
	x := newSite(t)
	code, page := x.get(x.page)
	if code != 200 || element(page, "status") != "PENDING" || element(page, "name") != "<b>hub</b>" || element(page, "arn") != x.arn {
		t.Fatalf("%d %s", code, page)
	}
	for _, id := range []string{"caller", "switch-caller", "login", "update-pending"} {
		if !has(page, id) {
			t.Errorf("no #%s on the page", id)
		}
	}
	_, page = x.post(x.page, "as", "ada", "step", "update", "login", "octo")
	if has(page, "connect") || !has(page, "install-new") || !has(page, "leave") {
		t.Errorf("targets: %s", page)
	}
	_, page = x.post(x.page, "as", "ada", "step", "new", "login", "octo")
	if !has(page, "org") || !has(page, "install") || !strings.Contains(page, "<option>acme</option><option>octo</option>") {
		t.Errorf("install: %s", page)
	}
	_, page = x.post(x.page, "as", "ada", "step", "install", "login", "octo", "org", "acme", "repo", "acme/app")
	id := regexp.MustCompile(`value="(\d{8})" selected>acme`).FindStringSubmatch(page)
	if id == nil || !has(page, "connect") || x.status() != "PENDING" {
		t.Fatalf("after installing: %s", page)
	}
	code, page = x.post(x.page, "as", "ada", "step", "connect", "login", "octo", "installation", id[1])
	if code != 200 || element(page, "status") != "AVAILABLE" || has(page, "update-pending") || x.status() != "AVAILABLE" {
		t.Errorf("%d after connecting: %s", code, page)
	}
	if code, page = x.post(x.page, "as", "ada", "step", "update", "login", "octo"); code != 409 || !strings.Contains(element(page, "error"), "not pending") {
		t.Errorf("%d a second time: %s", code, page)
	}
	org, _ := x.git.Org(provider.GitHub, "acme")
	if len(org.App.Repos) != 1 || org.App.Repos[0] != "acme/app" {
		t.Errorf("selected %v", org.App.Repos)
	}
}

func TestShowsAWSRefusals(t *testing.T) {
	for step, form := range map[string][]string{
		"StartOAuthHandshake":          {"step", "update"},
		"GetIndividualAccessToken":     {"step", "update"},
		"ListInstallationTargets":      {"step", "update"},
		"GetInstallationUrl":           {"step", "install", "org", "acme"},
		"UpdateConnectionInstallation": {"step", "connect"},
	} {
		x := newSite(t)
		i, err := x.git.Install(provider.GitHub, "acme", "octo")
		if err != nil {
			t.Fatal(err)
		}
		x.deny["bob codeconnections:"+step] = true
		form = append([]string{"login", "octo", "installation", i.ID}, form...)
		code, page := x.post(x.page, append(form, "as", "bob")...)
		want := "User: arn:aws:sts::" + ours + ":assumed-role/Dev/bob is not authorized to perform: codeconnections:" + step + " on resource: "
		if code != 403 || !strings.HasPrefix(element(page, "error"), want) || x.status() != "PENDING" {
			t.Errorf("%s: %d %q", step, code, element(page, "error"))
		}
		if code, page = x.post(x.page, append(form, "as", "ada")...); code != 200 || has(page, "error") {
			t.Errorf("%s as ada: %d %s", step, code, page)
		}
	}
}

func TestRefusalToRead(t *testing.T) {
	x := newSite(t)
	x.deny["ada codeconnections:GetConnection"] = true
	x.deny["ada codeconnections:ListConnections"] = true
	if code, page := x.get(x.page); code != 403 || !strings.Contains(element(page, "error"), "codeconnections:GetConnection") || has(page, "status") {
		t.Errorf("%d %s", code, page)
	}
	if code, page := x.get("/codesuite/settings/connections?region=us-east-1"); code != 403 || !strings.Contains(element(page, "error"), "codeconnections:ListConnections") {
		t.Errorf("%d %s", code, page)
	}
}

func TestOwnerHasToApprove(t *testing.T) {
	x := newSite(t)
	code, page := x.post(x.page, "as", "ada", "step", "install", "login", "hubot", "org", "acme")
	if code != 403 || element(page, "error") != "An organization owner must install the GitHub app" || !strings.Contains(element(page, "notice"), "request") {
		t.Errorf("%d %s", code, page)
	}
	link := regexp.MustCompile(`id="owner-page" href="([^"]*)"`).FindStringSubmatch(page)
	if link == nil {
		t.Fatal("no link to the owner's page")
	}
	path := html.UnescapeString(link[1])
	if _, page = x.get(path); !strings.Contains(page, "hubot asks for AWS") || !has(page, "approve") || !strings.Contains(element(page, "app"), "not installed") {
		t.Errorf("provider: %s", page)
	}
	path, _, _ = strings.Cut(path, "?")
	for _, login := range []string{"hubot", "stranger"} {
		if code, page = x.post(path, "type", "GitHub", "login", login); code != 403 || !has(page, "error") {
			t.Errorf("approved by %s: %d", login, code)
		}
	}
	if code, page = x.post(path, "type", "GitHub", "login", "octo"); code != 200 || has(page, "approve") || !strings.Contains(element(page, "app"), "is installed") {
		t.Errorf("approval: %d %s", code, page)
	}
	if s := x.status(); s != "PENDING" {
		t.Errorf("the approval alone made it %s", s)
	}
	if _, page = x.post(x.page, "as", "ada", "step", "update", "login", "hubot"); !has(page, "connect") {
		t.Errorf("afterwards the member finds no installation: %s", page)
	}
}

func TestCallers(t *testing.T) {
	x := newSite(t)
	if _, page := x.get(x.page + "?as=bob"); !strings.Contains(page, "<option selected>bob</option>") || strings.Contains(page, "<option>eve") {
		t.Errorf("chosen: %s", page)
	}
	if _, page := x.get(x.page); !strings.Contains(page, "<option selected>bob</option>") {
		t.Errorf("not remembered: %s", page)
	}
	for _, name := range []string{"eve", "nobody"} {
		if code, page := x.post(x.page, "as", name, "step", "update", "login", "octo"); code != 404 || !has(page, "error") {
			t.Errorf("as %s: %d", name, code)
		}
	}
	if code, _ := x.get("/codesuite/settings/connections?as=eve"); code != 200 {
		t.Errorf("list as eve: %d", code)
	}
	if _, page := x.get("/codesuite/settings/connections?as=ada&region=eu-west-1"); !strings.Contains(page, x.page) || !strings.Contains(page, "&lt;b&gt;hub&lt;/b&gt;") || strings.Contains(page, "<b>") {
		t.Errorf("list: %s", page)
	}
	for _, e := range x.c.Events(ours, "us-east-1") {
		if e.Name == "StartOAuthHandshake" {
			t.Errorf("somebody else's handshake was begun by %s", e.Caller.ARN)
		}
	}
}

func TestHostPage(t *testing.T) {
	x := newSite(t)
	x.git.AddServer(provider.GitHubEnterpriseServer, "https://ghes.example", "root")
	host := x.serve("CreateHost", map[string]any{"Name": "h", "ProviderType": "GitHubEnterpriseServer", "ProviderEndpoint": "https://ghes.example"})["HostArn"].(string)
	arn := x.serve("CreateConnection", map[string]any{"ConnectionName": "c", "HostArn": host})["ConnectionArn"].(string)
	_, page := x.get(console.DeepLink(arn))
	if has(page, "update-pending") || !strings.Contains(element(page, "notice"), "host") || !strings.Contains(page, console.DeepLink(host)) {
		t.Errorf("connection on a PENDING host: %s", page)
	}
	if code, page := x.get(console.DeepLink(host)); code != 200 || element(page, "status") != "PENDING" || !has(page, "set-up-host") {
		t.Errorf("host: %d %s", code, page)
	}
	if code, page := x.post(console.DeepLink(host), "login", "octo"); code != 409 || !strings.Contains(element(page, "error"), "administrator") {
		t.Errorf("set-up without being administrator: %d %s", code, page)
	}
	if code, page := x.post(console.DeepLink(host), "login", "root"); code != 200 || element(page, "status") != "AVAILABLE" || has(page, "set-up-host") {
		t.Errorf("set-up: %d %s", code, page)
	}
	if _, page = x.get(console.DeepLink(arn)); !has(page, "update-pending") {
		t.Errorf("connection on the host: %s", page)
	}
}

func TestUnknownThings(t *testing.T) {
	x := newSite(t)
	for path, want := range map[string]int{
		x.page + "x": 404, strings.Replace(x.page, "codeconnections", "s3", 1): 404, console.DeepLink("arn:aws:codeconnections:us-east-1:" + ours + ":host/none"): 404,
		"/codesuite/settings/999999999999/us-east-1/codeconnections/connections/1": 404, "/_provider/nobody/installations": 404, "/codesuite/elsewhere": 404,
	} {
		if code, _ := x.get(path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	if code, _ := x.post(x.page, "step", "dance"); code != 400 {
		t.Errorf("unknown step: %d", code)
	}
}

func TestRefusesFormsOfOtherSites(t *testing.T) {
	x := newSite(t)
	r := httptest.NewRequest(http.MethodPost, x.page, strings.NewReader("step=update&login=octo"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	console.New(x.c, x.s, x.git).ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("another site's form: %d", w.Code)
	}
}
