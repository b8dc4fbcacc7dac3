package fact

import (
	"net/url"
	"strings"
)

// StackName is the name in the ARN of a stack; "" when it is none: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID.
func StackName(arn string) string {
	a, err := ParseARN(arn)
	if err != nil || a.Service != "cloudformation" {
		return ""
	}
	p := strings.Split(a.Resource, "/")
	if len(p) < 2 || len(p) > 3 || p[0] != "stack" || p[1] == "" {
		return ""
	}
	return p[1]
}

// stackURL is the ARN in the console's address of a stack, which is in the fragment; "" when there is none:
// /cloudformation/home?region=R#/stacks/events?stackId=ARN
func stackURL(u *url.URL) string {
	_, query, ok := strings.Cut(u.Fragment, "?")
	if !ok || !strings.HasPrefix(strings.Trim(u.Path, "/"), "cloudformation/") {
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return values.Get("stackId")
}
