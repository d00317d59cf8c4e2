# Tidemark behind Varnish 7: varnishd -a :8080 -f "$PWD/deploy/varnish.vcl", with the lines marked SITE changed. tests/edge runs
# this very file with only these lines changed. Why each rule: docs/edge.md.
#
# On the broker: [server] public_url, and trusted_proxies = the address that Varnish connects from.
# A socket or stream holds a thread of Varnish (thread_pool_max): send /ws and /sse to the broker directly when many.

vcl 4.1;
import std;

backend tidemark {
    .host = "127.0.0.1";            # SITE
    .port = "8000";                 # SITE
    .connect_timeout = 2s;
    .first_byte_timeout = 45s;      # above the broker's longest long poll
    .between_bytes_timeout = 75s;   # streams are pinged every 25 s
}

sub vcl_recv {
    if (req.http.Upgrade ~ "(?i)^websocket$") {
        return (pipe);
    }
    # What is the sender's own, and whatever is no poll, feed or watch page in a known spelling, is neither kept nor answered from
    # what is kept. The broker says no-store to other spellings.
    if ((req.method != "GET" && req.method != "HEAD") || req.http.Authorization || req.http.X-API-Key || req.http.Cookie) {
        return (pass);
    }
    if (req.url !~ "^/(api/v1/(opml|channels/[a-z0-9-]+/(events|rss|feed\.json))|v1/live-events/watch/[a-z0-9-]+)(\?(?:(?:cursor|format|limit|on_gap|since|type)=[^&]+(?:&(?!$)|$)){0,6})?$"
        || req.url ~ "[?&](cursor|format|limit|on_gap|since|type)=(?:[^&]*&)+\1=") {
        return (pass);
    }
    set req.url = std.querysort(regsub(req.url, "\?$", ""));
    return (hash);
}

sub vcl_hash {
    # Not the Host: no answer depends on it.
    hash_data(req.url);
    return (lookup);
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = "Upgrade";
    return (pipe);
}

sub vcl_backend_response {
    # Nothing is served after its time; it is kept a while longer only to be checked again by its ETag.
    set beresp.grace = 0s;
    set beresp.keep = 1m;
    # Kept is what says so, not what says nothing.
    if (beresp.status != 200 || beresp.http.Cache-Control !~ "^public, s-maxage=\d+$") {
        set beresp.uncacheable = true;
        set beresp.ttl = 120s;
        return (deliver);
    }
}

# What Varnish answers itself has the form of the API's errors.
sub vcl_backend_error {
    # Without these Varnish would repeat an error that others waited for, for 6 s.
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    set beresp.status = 503;
    set beresp.http.Content-Type = "application/json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Retry-After = "1";
    synthetic("""{"error":"The server cannot be reached"}""");
    return (deliver);
}

sub vcl_synth {
    set resp.http.Content-Type = "application/json";
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    synthetic({"{"error":""} + resp.reason + """"}""");
    return (deliver);
}
