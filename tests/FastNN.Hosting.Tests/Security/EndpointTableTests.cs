using System.Net;
using FastNN.Cli.Serving;
using FastNN.Hosting.Security;
using FastNN.Hosting.Tests.Serve;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Security;

/// <summary>The table of scopes against the endpoints that the server really has.</summary>
public sealed class EndpointTableTests : ServeFixture
{
    private static readonly string[] Sets = ["infer", "manage", "metrics", "infer+manage+metrics"];

    /// <summary>Endpoints that are not in the table, because they say only that there is nothing.</summary>
    private static readonly string[] Public = ["{**path}"];

    [Test]
    public async Task Every_endpoint_of_the_server_is_in_the_table()
    {
        ServeSettings settings = Settings(("metrics", "true"), ("control", "true"));
        await using WebApplication app = ServeApplication.Create(
            settings, new ServePorts(settings, null), new ServeLog(TextWriter.Null));
        RouteEndpoint[] endpoints = EndpointsOf(app);
        Assert.That(endpoints, Has.Length.GreaterThan(40));
        AssertKnown(endpoints);
        Assert.That(
            endpoints.Where(endpoint => EndpointAccess.Of(endpoint) == Access.Manage).Select(Pattern),
            Is.EquivalentTo(new[]
            {
                "v2/repository/models/{name}/load", "v2/repository/models/{name}/unload",
                "v2/repository/models/{name}/versions/{version}/load", "v2/repository/models/{name}/versions/{version}/unload",
                "inference.GRPCInferenceService/RepositoryModelLoad", "inference.GRPCInferenceService/RepositoryModelUnload",
            }));
    }

    [Test]
    public async Task Below_a_prefix_endpoints_ask_the_same_and_those_of_the_application_are_left_alone()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddFastNN(options => options.FromFolder(Models));
        builder.Services.AddHealthChecks().AddFastNN();
        builder.Services.AddFastNNServer();
        await using WebApplication app = builder.Build();
        app.UseFastNNServer();
        app.MapFastNN(options => options.Prefix = "/ml/v2");
        app.MapFastNNMetrics("/ml/metrics");
        app.MapGet("/api/v2/orders", () => "orders");
        app.MapGet("/shop/metrics", () => "sold");
        app.MapGet("/shop/status", () => "open");
        RouteEndpoint[] endpoints = EndpointsOf(app);
        string[] foreign = ["api/v2/orders", "shop/metrics", "shop/status"];
        AssertKnown(endpoints.Where(endpoint => !foreign.Contains(Pattern(endpoint))));
        Access Of(string pattern) => EndpointAccess.Of(endpoints.Single(endpoint => Pattern(endpoint) == pattern));
        Assert.That(Of("ml/v2/v2/models/{name}/infer"), Is.EqualTo(Access.Infer));
        Assert.That(Of("ml/v2/v2/health/live"), Is.EqualTo(Access.Probe));
        Assert.That(Of("ml/v2/v2/repository/models/{name}/load"), Is.EqualTo(Access.Manage));
        Assert.That(Of("ml/metrics"), Is.EqualTo(Access.Metrics));
        Assert.That(foreign.Select(Of), Is.All.EqualTo(Access.Foreign));
    }

    [Test]
    public async Task Every_endpoint_answers_those_who_may_and_refuses_the_others()
    {
        string[] keys = WriteKeys(Sets);
        await using ServedCommand server = await ServedCommand.StartAsync(
            Models, "--api-keys", At("keys"), "--metrics", "--control");
        ServeSettings settings = Settings(("metrics", "true"));
        RouteEndpoint[] endpoints;
        await using (WebApplication app = ServeApplication.Create(
            settings, new ServePorts(settings, null), new ServeLog(TextWriter.Null)))
        {
            // Watch, of health, is for anybody and does not end.
            endpoints = [.. EndpointsOf(app).Where(
                endpoint => EndpointAccess.Of(endpoint) is not (Access.Anyone or Access.Foreign)
                    && !Pattern(endpoint).EndsWith("/Watch", StringComparison.Ordinal))];
        }

        (string? Key, string[] Scopes)[] callers =
            [(null, []), ("fnn_stranger", []), .. keys.Zip(Sets, (key, set) => ((string?)key, set.Split('+')))];
        foreach ((string? key, string[] scopes) in callers)
        {
            using HttpClient rest = Client(server.Rest, key), grpc = Client(server.Grpc, key);
            foreach (RouteEndpoint endpoint in endpoints)
            {
                Access access = EndpointAccess.Of(endpoint);
                bool opens = access switch
                {
                    Access.Probe => true,
                    Access.Read => scopes.Length > 0,
                    _ => scopes.Contains(access.ToString().ToLowerInvariant()),
                };
                string path = "/" + Pattern(endpoint);
                bool isGrpc = path.Contains("grpc", StringComparison.OrdinalIgnoreCase);
                string outcome = isGrpc
                    ? (await GrpcAsync(grpc, path.Split('{')[0] + (path.Contains('{') ? "Nothing" : ""), null)).Status switch
                    {
                        16 => "401",
                        7 => "403",
                        _ => "passed",
                    }
                    : await RestAsync(rest, path);
                string expected = opens ? "passed" : scopes.Length == 0 ? "401" : "403";
                Assert.That(outcome, Is.EqualTo(expected), $"{path} [{string.Join(',', scopes)}]");
            }
        }

        using HttpClient all = Client(server.Rest, keys[^1]);
        Assert.That((await InferAsync(all, [1, 2, 3, 4, 5, 6])).StatusCode, Is.EqualTo(HttpStatusCode.OK), "it still answers");
    }

    private static async Task<string> RestAsync(HttpClient rest, string pattern)
    {
        bool posts = pattern.EndsWith("infer") || pattern.EndsWith("load") || pattern.EndsWith("index");
        string path = pattern.Replace("{name}", "none").Replace("{version}", "1").Replace("{**rest}", "nothing");
        using HttpResponseMessage answer = await rest.SendAsync(
            new HttpRequestMessage(posts ? HttpMethod.Post : HttpMethod.Get, path));
        Assert.That((int)answer.StatusCode, Is.LessThan(500), path);
        return answer.StatusCode is HttpStatusCode.Unauthorized ? "401"
            : answer.StatusCode is HttpStatusCode.Forbidden ? "403"
            : "passed";
    }

    private static string Pattern(RouteEndpoint endpoint) => endpoint.RoutePattern.RawText!.TrimStart('/');

    private static RouteEndpoint[] EndpointsOf(WebApplication app) =>
        [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];

    private static void AssertKnown(IEnumerable<RouteEndpoint> endpoints) => Assert.That(
        endpoints.Where(endpoint => EndpointAccess.Find(endpoint) is null).Select(endpoint => endpoint.RoutePattern.RawText),
        Is.SubsetOf(Public), "add them to EndpointAccess, or to the public ones here");
}
