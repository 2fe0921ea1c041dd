using System.Net;

namespace FastNN.Hosting.Tests.Security;

/// <summary>What pages in a browser may do: names that lead to the server, other origins, and what headers tell of it.</summary>
public sealed class BrowserTests
{
    [TestCase("localhost", HttpStatusCode.OK)]
    [TestCase("127.0.0.1:1", HttpStatusCode.OK)]
    [TestCase("[::1]:80", HttpStatusCode.OK)]
    [TestCase("digits.localhost", HttpStatusCode.OK)]
    [TestCase("evil.example", HttpStatusCode.BadRequest)]
    [TestCase("localhost.evil.example", HttpStatusCode.BadRequest)]
    [TestCase("192.168.0.1", HttpStatusCode.BadRequest)]
    public async Task A_server_of_this_machine_answers_under_its_own_names(string host, HttpStatusCode expected)
    {
        await using SecureServer server = await SecureServer.StartAsync();
        Assert.That(await StatusAsync(server, "GET", "/v2", ("Host", host)), Is.EqualTo(expected));
        Assert.That(await StatusAsync(server, "GET", "/v2/health/live", ("Host", host)), Is.EqualTo(HttpStatusCode.OK), "probes");
    }

    [Test]
    public async Task Names_that_are_allowed_stand_in_place_of_its_own()
    {
        await using SecureServer server = await SecureServer.StartAsync(options =>
        {
            options.AllowedHosts.Add("models.example");
            options.AllowedHosts.Add("*.inner.example");
        });
        Assert.That(await StatusAsync(server, "GET", "/v2", ("Host", "models.example:8000")), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(server, "GET", "/v2", ("Host", "a.inner.example")), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(server, "GET", "/v2", ("Host", "localhost")), Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Pages_of_other_sites_cannot_send_to_a_server_without_keys()
    {
        await using SecureServer server = await SecureServer.StartAsync();
        string own = server.Address.GetLeftPart(UriPartial.Authority);
        foreach (((string, string)[] headers, HttpStatusCode expected) in new[]
        {
            (new[] { ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site") }, HttpStatusCode.Forbidden),
            ([("Origin", "http://127.0.0.1:1"), ("Sec-Fetch-Site", "same-site")], HttpStatusCode.Forbidden),
            ([("Origin", "https://evil.example")], HttpStatusCode.Forbidden),
            ([("Origin", "null")], HttpStatusCode.Forbidden),
            ([("Origin", own), ("Sec-Fetch-Site", "same-origin")], HttpStatusCode.OK),
            ([("Origin", own)], HttpStatusCode.OK),
            ([], HttpStatusCode.OK),
        })
        {
            Assert.That(
                await StatusAsync(server, "POST", "/v2/models/digits/infer", headers), Is.EqualTo(expected),
                string.Join(' ', headers));
        }
    }

    [Test]
    public async Task Other_origins_are_answered_only_where_they_are_configured()
    {
        await using SecureServer closed = await SecureServer.StartAsync();
        await using SecureServer open = await SecureServer.StartAsync(options => options.CorsOrigins.Add("https://app.example"));
        foreach ((SecureServer server, string origin, string? allowed) in new[]
        {
            (closed, "https://app.example", null), (open, "https://app.example", "https://app.example"),
            (open, "https://evil.example", null),
        })
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v2/models/digits/infer");
            preflight.Headers.Add("Origin", origin);
            preflight.Headers.Add("Access-Control-Request-Method", "POST");
            preflight.Headers.Add("Access-Control-Request-Headers", "x-api-key");
            using HttpResponseMessage answer = await server.Client.SendAsync(preflight);
            bool isThere = answer.Headers.TryGetValues("Access-Control-Allow-Origin", out IEnumerable<string>? values);
            Assert.That(isThere ? values!.Single() : null, Is.EqualTo(allowed));
        }

        Assert.That(
            await StatusAsync(
                open, "POST", "/v2/models/digits/infer", ("Origin", "https://app.example"), ("Sec-Fetch-Site", "cross-site")),
            Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Inference_is_refused_while_the_process_has_more_memory_than_it_may()
    {
        await using SecureServer server = await SecureServer.StartAsync(options => options.MaxMemoryBytes = 1);
        using HttpResponseMessage answer = await server.Client.PostAsync("/v2/models/digits/infer", null);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(await StatusAsync(server, "GET", "/v2/health/ready"), Is.EqualTo(HttpStatusCode.OK));
        await using SecureServer roomy = await SecureServer.StartAsync(options => options.MaxMemoryBytes = long.MaxValue);
        Assert.That(await StatusAsync(roomy, "POST", "/v2/models/digits/infer"), Is.EqualTo(HttpStatusCode.OK));
    }

    private static async Task<HttpStatusCode> StatusAsync(
        SecureServer server, string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await server.Client.SendAsync(request);
        return response.StatusCode;
    }
}
