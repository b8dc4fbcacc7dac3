package cloud

// SetLimit changes a quota of an account: a code of Service Quotas (L-78D200AD) or a word for one that has no code
// (connections, hosts). Region "" means the quota in every Region for which no own one was set.
func (c *Cloud) SetLimit(account, region, quota string, value int) {
	c.limits[limitKey{account, region, quota}] = value
}

// Limit is the quota in force for an account in a Region; def, AWS's default, when nobody changed it.
func (c *Cloud) Limit(account, region, quota string, def int) int {
	for _, r := range []string{region, ""} {
		if v, ok := c.limits[limitKey{account, r, quota}]; ok {
			return v
		}
	}
	return def
}

type limitKey struct{ account, region, quota string }
