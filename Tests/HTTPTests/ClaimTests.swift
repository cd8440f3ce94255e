/// Claims: the table of request fields by which a client could speak as a proxy or as the server.
import Bytes
import HTTP
import Testing

@Suite struct ClaimTests {
    static let classes: [(FieldName, String)] = [
        (
            .claimsClient,
            """
            X-Real-IP X-Real-Port X-Client-IP X-ClientIP Client-IP True-Client-IP
            X-True-Client-IP X-True-IP X-Cluster-Client-IP X-Remote-IP X-Remote-Addr Remote-Addr
            X-Remote-Host Remote-Port X-Originating-IP X-Custom-IP-Authorization X-ProxyUser-Ip
            X-Forwarded Forwarded-For Forwarded-For-Ip X-Forward-For X-Forwarder-For
            X-Forwarded-By X-Forwarded-For-Original X-Forwarded-Client-IP X-Forwarded-Country
            X-Original-Forwarded-For X-Original-Remote-Addr X-Original-User-Agent X-Source-IP
            X-User-IP Real-Ip CF-Connecting-IP CF-Connecting-IPv6 CF-IPCountry CF-Ray
            CF-Pseudo-IPv4 CF-Worker Fastly-Client-IP Fly-Client-IP Fly-Region DO-Connecting-IP
            Incap-Client-IP X-Sucuri-ClientIP Ali-CDN-Real-IP Cdn-Src-Ip X-Azure-ClientIP
            X-Azure-SocketIP X-Azure-FDID X-FD-HealthProbe X-Arr-Log-Id X-Appengine-User-IP
            X-Appengine-Country X-NF-Client-Connection-IP X-Vercel-Forwarded-For
            X-Vercel-IP-Country X-Envoy-External-Address X-Envoy-Internal X-Envoy-Peer-Metadata
            Proxy-Client-IP WL-Proxy-Client-IP CloudFront-Viewer-Address
            CloudFront-Viewer-Country CloudFront-Is-Mobile-Viewer Akamai-Origin-Hop
            X-Akamai-Edgescape X-GeoIP-Country X-Amzn-Tls-Version X-Proxy-User-Ip
            X-Some-Proxy-Real-IP HTTP_X_REAL_IP HTTP_CLIENT_IP HTTP_X_FORWARDED_FOR HTTP_VIA
            remote_addr x.real.ip X-Real_IP
            """
        ),
        (
            .claimsSite,
            """
            X-Host X-Host-Override X-HTTP-Host-Override Forwarded-Host Forwarded-Proto
            Forwarded-Port X-Real-Host X-Forwarded-Port X-Forwarded-Scheme X-Forwarded-Server
            X-Forwarded-SSL X-Forwarded-Protocol X-Forwarded-Host-Override X-Forwarded-Https
            X-Forwarded-Proto-Version X-Forwarded-Anything X-Forwarded-Server-Port
            X-Original-Host X-Original-Proto X-Original-Scheme X-Scheme X-URL-Scheme X-Proto
            X-Protocol X-Port X-Https X-SSL X-Secure X-HTTP-Scheme Front-End-Https
            X-Front-End-Https CloudFront-Forwarded-Proto CF-Visitor Fastly-SSL Fastly-Orig-Host
            Fly-Forwarded-Proto Fly-Forwarded-Port Fly-Forwarded-Ssl X-Arr-SSL WL-Proxy-SSL
            Disguised-Host WAS-Default-Hostname X-Site-Deployment-Id X-Envoy-Original-Host
            X-Proxy-Host X-Proxy-Port X-Proxy-Scheme X-Proxied-Proto X-External-Host
            X-Accel-Mapping X-Accel-Redirect X-Accel-Buffering X-Sendfile X-Sendfile-Type Proxy
            Proxy-Host HTTP_PROXY HTTP_HOST HTTPS Server-Name SERVER_PORT SERVER_PROTOCOL
            SERVER_ADDR GATEWAY_INTERFACE REQUEST_SCHEME wsgi.url_scheme wsgi_url_scheme
            UWSGI_SCHEME rack.url_scheme PHP_VALUE SSL_PROTOCOL SSL-Offloaded X-SSL-Protocol
            X-TLS-Version X-Vhost X-Edge-Forwarded-Proto X_Forwarded_SSL X-Forwarded_Port
            x-forwarded.scheme URL-Scheme Host-Override HTTP_X_FORWARDED_HOST
            """
        ),
        (
            .claimsUser,
            """
            Remote-User REMOTE_USER X-Remote-User X-Remote-Group X-Remote-Groups
            X-Remote-Extra-Scopes Remote-Name Remote-Email Remote-Groups REMOTE_IDENT
            X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Preferred-Username
            X-Forwarded-Access-Token X-Forwarded-Client-Cert X-Forwarded-Tls-Client-Cert
            X-Forwarded-Tls-Client-Cert-Info X-Auth-Request-User X-Auth-Request-Email
            X-WebAuth-User X-Authenticated-User X-Authenticated-Userid Authenticated-User
            X-Proxy-User X-Consumer-Username X-Consumer-ID X-Credential-Identifier
            X-Authentik-Username X-Pomerium-Jwt-Assertion Cf-Access-Jwt-Assertion
            Cf-Access-Authenticated-User-Email X-Goog-Iap-Jwt-Assertion
            X-Goog-Authenticated-User-Email X-MS-Client-Principal X-MS-Client-Principal-Name
            X-MS-Token-AAD-Id-Token X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Amzn-Mtls-Clientcert
            X-Appengine-User-Email Tailscale-User-Login X-Vouch-User OIDC_CLAIM_sub
            Shib-Identity-Provider MELLON_NAME_ID AUTH_TYPE AUTH_USER LOGON_USER PHP_AUTH_USER
            X-Userinfo SSL-Client-Cert SSL_CLIENT_VERIFY SSL_CLIENT_S_DN X-SSL-Client-CN
            X-SSL-Cert X-SSL-Client-Verify X-Client-Cert X-Client-Certificate X-Client-Verify
            X-ClientCert-DN X-ARR-ClientCert Client-Cert Client-Cert-Chain WL-Proxy-Client-Cert
            X-TLS-Client-Cert
            """
        ),
        (
            .rewritesURL,
            """
            X-Original-URL X-Original-URI X-Original-Path X-Original-Method X-Original-Anything
            X-Rewrite-URL X-Rewrite-URI X-Rewrite-Path X-Forwarded-Prefix X-Forwarded-Path
            X-Forwarded-Uri X-Forwarded-Url X-Forwarded-Method X-Forwarded-Query
            X-Forwarded-PathInfo X-Forwarded-Context X-Forwarded-Script-Name Forwarded-Path
            Forwarded-Uri X-Script-Name Script-Name SCRIPT_NAME SCRIPT_FILENAME SCRIPT_URL
            PATH_INFO Path-Info PATH_TRANSLATED X-Path-Info REQUEST_URI Request-Uri
            REQUEST_METHOD QUERY_STRING DOCUMENT_ROOT DOCUMENT_URI PHP_SELF ORIG_PATH_INFO
            UNENCODED_URL IIS_WasUrlRewritten REDIRECT_URL REDIRECT_STATUS X-Unencoded-Url
            X-Waws-Unencoded-Url X-Envoy-Original-Path X-Now-Route-Matches X-Matched-Path
            X-Invoke-Path X-Invoke-Query X-Invoke-Status X-Invoke-Output X-Middleware-Subrequest
            X-Middleware-Rewrite X-Middleware-Prefetch X-Middleware-Set-Cookie
            X-HTTP-Path-Override X-HTTP-URI-Override X-Path-Override X-URL-Override
            X-HTTP-DestinationURL Base-Url X-Base-Path X-Proxy-URL X-Proxy-Path Proxy-Url
            X-Replaced-Path X-Ingress-Path X-Context-Path X-URL Url Uri HTTP_URL X-Real-URI
            X-Servlet-Path Context-Path X_Original_URL X-Original_URI x.rewrite.url X-Prefix
            X-Request-Uri X-External-Path Orig-Script-Name X-Custom-Original-Url
            HTTP_X_REWRITE_URL
            """
        ),
        (
            .overridesMethod,
            """
            X-HTTP-Method X-HTTP-Method-Override X-Method-Override HTTP-Method-Override
            Method-Override x-http_method-override X_HTTP_METHOD_OVERRIDE X-HTTP-Method_Override
            HTTP_X_HTTP_METHOD_OVERRIDE
            """
        ),
        (
            .oddSpelling,
            """
            Content_Length content_length Content.Length Transfer_Encoding X_Forwarded_For
            X-Forwarded_Proto x_forwarded_host Accept_Encoding Accept_Language User_Agent
            Keep_Alive Proxy_Authorization Proxy_Connection If_None_Match Cache_Control
            Content_Type Content~Type Larder_Cache_Control CDN_Cache_Control
            """
        ),
        (
            .other,
            """
            X-Requested-With X-Request-Id X-Request-Start X-Request-Context X-Correlation-Id
            X-Amzn-Trace-Id X-Amzn-RequestId X-Amz-Date X-Amz-Content-Sha256 X-Amz-Cf-Id
            X-B3-TraceId X-B3-Sampled B3 traceparent tracestate baggage X-Cloud-Trace-Context
            X-Datadog-Trace-Id uber-trace-id X-CSRF-Token X-XSRF-Token X-Api-Key X-Auth-Token
            X-Auth-User X-Auth-Key X-Api-Version X-App-Version X-Device-Id X-Session-Id
            X-Client-Version X-Client-Id X-Client-Data X-Client-Name X-Locale X-Locale-Override
            X-Debug X-Wap-Profile X-ATT-DeviceId X-UIDH X-Do-Not-Track DNT X-Purpose Purpose
            Priority Save-Data Upgrade-Insecure-Requests Sec-Fetch-Site Sec-Fetch-Mode Sec-CH-UA
            Sec-CH-UA-Platform Sec-GPC Sec-WebSocket-Protocol Sec-WebSocket-Key Service-Worker
            Device-Memory Viewport-Width Width DPR RTT Downlink ECT Early-Data Alt-Used
            Access-Control-Request-Method Access-Control-Request-Headers Origin-Trial
            Idempotency-Key Request-Id Request-Context Traceparent Prefer Depth Destination
            Overwrite Lock-Token Timeout Translate Last-Event-ID Content-Language
            Content-Disposition X-Nextjs-Data Next-Router-State-Tree RSC Next-Action Next-Url
            HX-Request Turbo-Frame X-Inertia X-Livewire X-PJAX X-Pingback X-Goog-Api-Key
            X-Goog-Api-Client X-MS-Version X-MS-Date X-GitHub-Event X-Hub-Signature
            X-Stripe-Signature Stripe-Signature HTTP-Referer X-Custom My_Header auth_token
            X_Own_Field _ __ a X- X Http- Ssl Surrogate-Capability X-Cache X-Varnish X-Purge-Key
            X-Color-Scheme X-Playback-Session-Id Icy-MetaData Range-Unit Expect-CT
            Sec-Forwarded-For X-Prerender-Token
            """
        ),
    ]

    static let rows = classes.flatMap { claim, names in
        names.split { $0 == " " || $0 == "\n" }.map { (String($0), claim) }
    }

    @Test func theTableHasManyNames() { #expect(Self.rows.count > 400) }

    /// In upper and lower case, alone and in a head. A field name of a response makes no claim.
    @Test(arguments: rows)
    func eachNameMakesItsClaim(name: String, claim: FieldName) {
        var head = RequestHead()
        var scan = HeadScan()
        for spelling in [name, name.lowercased(), name.uppercased()] {
            #expect(FieldName.identify(Array(spelling.utf8).span) == claim, "\(spelling)")
            for other in ["A: b", "A: b", "C: d"] {
                let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\n\(spelling): 1\r\n\(other)\r\n\r\n")
                let result = head.parse(bytes.span, limits: roomy, scan: &scan)
                #expect(result == .complete(bytes.count))
                let id = head.fields[1].id
                #expect(id == claim, "\(spelling)")
                for isBelieved in [false, true] {
                    head.fields.trustsClaims = isBelieved
                    let isEffective = head.fields.isEffective(1)
                    switch claim {
                    case .claimsClient, .claimsSite, .claimsUser, .rewritesURL: #expect(isEffective == isBelieved)
                    case .oddSpelling: #expect(!isEffective)
                    default: #expect(isEffective)
                    }
                }
            }
        }
        var answer = ResponseHead()
        let bytes = latin1("HTTP/1.1 200 OK\r\n\(name): 1\r\n\r\n")
        let result = answer.parse(bytes.span, limits: roomy, scan: &scan, requestMethod: .get)
        #expect(result == .complete(bytes.count))
        let id = answer.fields[0].id
        #expect(id == .other)
    }

    /// A head trusts its claims only after it was told so; each parse resets that.
    @Test func trustIsResetWithEachHead() {
        var head = RequestHead()
        var scan = HeadScan()
        let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 1\r\n\r\n")
        for _ in 0..<3 {
            let result = head.parse(bytes.span, limits: roomy, scan: &scan)
            #expect(result == .complete(bytes.count))
            let isBelieved = head.fields.trustsClaims
            #expect(!isBelieved)
            head.fields.trustsClaims = true
        }
    }

    @Test(arguments: [
        ("X-Lang", "X_Lang", true), ("X-Lang", "x.lang", true), ("X-Lang", "X-Lang", true),
        ("X-Lang", "XLang", false), ("X-Lang", "X-Land", false), ("X-1", "X_1", true), ("X-1", "X_2", false),
    ])
    func namesOfOneCGIVariableAreRecognised(name: String, other: String, areSameCGIVariable: Bool) {
        #expect(FieldName.areSameCGIVariable(Array(name.utf8).span, Array(other.utf8).span) == areSameCGIVariable)
    }
}
