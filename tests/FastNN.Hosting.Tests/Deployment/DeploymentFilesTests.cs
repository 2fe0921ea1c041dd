using System.Globalization;
using System.Text.RegularExpressions;
using FastNN.Cli.Serving;
using FastNN.Hosting.Security;
using FastNN.Hosting.Tests.Telemetry;
using FastNN.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using YamlDotNet.RepresentationModel;

namespace FastNN.Hosting.Tests.Deployment;

/// <summary>The files under deploy fit the server and one another: options, ports, probes, users, names of metrics.</summary>
internal sealed partial class DeploymentFilesTests : FolderFixture
{
    private const int RestPort = 8000, GrpcPort = 8001;

    private static readonly string Root = FindRoot();

    private static IEnumerable<string> Files => Directory
        .EnumerateFiles(Path.Combine(Root, "deploy"), "*.yaml", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Path.Combine(Root, "deploy"), file)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> FilesWithContainers =>
        Files.Where(file => Documents(file).Any(document => Containers(document).Any()));

    [TestCaseSource(nameof(Files))]
    public void Files_are_manifests_with_a_kind_and_a_name(string file)
    {
        if (file.EndsWith("prometheus-adapter.yaml", StringComparison.Ordinal))
        {
            Assert.That(Documents(file).Single()["rules"]["custom"], Is.InstanceOf<YamlSequenceNode>(), "values of a Helm chart");
            return;
        }

        foreach (YamlNode document in Documents(file))
        {
            Assert.That(Text(document["apiVersion"]), Does.Match(@"^([a-z0-9.]+/)?v\d[a-z0-9]*$"));
            Assert.That(Text(document["kind"]), Is.Not.Empty);
            Assert.That(Text(document["kind"]) == "Kustomization" || Text(document["metadata"]["name"]).Length > 0);
        }
    }

    [TestCaseSource(nameof(FilesWithContainers))]
    public void Servers_start_with_the_options_that_containers_give_them(string file)
    {
        foreach (YamlNode container in Documents(file).SelectMany(Containers))
        {
            ServeSettings settings = Settings(container);
            Assert.That((settings.Port, settings.GrpcPort), Is.EqualTo((RestPort, GrpcPort)));
            Assert.That(settings.Host, Is.EqualTo(System.Net.IPAddress.Any));
            Assert.That(settings.Metrics, "Prometheus asks for metrics");
            foreach (YamlNode port in Items(container["ports"]))
            {
                int number = Number(port["containerPort"]);
                Assert.That(Text(port["name"]), number == RestPort ? Is.AnyOf("http", "http1") : Is.AnyOf("grpc", "h2c"));
                Assert.That(number, Is.AnyOf(RestPort, GrpcPort));
            }
        }
    }

    [TestCaseSource(nameof(FilesWithContainers))]
    public void Probes_ask_for_paths_that_answer_without_a_key(string file)
    {
        string[] open = [.. Endpoints().Where(it => EndpointAccess.Of(it) is Access.Anyone or Access.Probe).Select(Pattern)];
        foreach (YamlNode container in Documents(file).SelectMany(Containers))
        {
            foreach (string probe in (string[])["startupProbe", "readinessProbe", "livenessProbe"])
            {
                YamlNode how = container[probe];
                if (Find(how, "grpc") is { } grpc)
                {
                    Assert.That(Number(grpc["port"]), Is.EqualTo(GrpcPort));
                    continue;
                }

                string path = probe == "livenessProbe" ? "/v2/health/live" : "/v2/health/ready";
                Assert.That(Text(how["httpGet"]["path"]), Is.EqualTo(path));
                Assert.That(open, Does.Contain(path));
                Assert.That(PortOf(container, Text(how["httpGet"]["port"])), Is.EqualTo(RestPort));
            }
        }
    }

    [TestCaseSource(nameof(FilesWithContainers))]
    public void Containers_run_without_rights_as_the_user_of_the_image(string file)
    {
        string user = Instruction("USER").Single();
        foreach (YamlNode document in Documents(file))
        {
            foreach (YamlNode container in Containers(document))
            {
                YamlNode rights = container["securityContext"];
                YamlNode identity = Find(rights, "runAsUser") is null
                    ? document["spec"]["template"]["spec"]["securityContext"]
                    : rights;
                Assert.That(Text(identity["runAsUser"]), Is.EqualTo(user));
                Assert.That(Text(identity["runAsNonRoot"]), Is.EqualTo("true"));
                Assert.That(Text(rights["readOnlyRootFilesystem"]), Is.EqualTo("true"));
                Assert.That(Text(rights["allowPrivilegeEscalation"]), Is.EqualTo("false"));
                Assert.That(Items(rights["capabilities"]["drop"]).Select(Text), Is.EqualTo(new[] { "ALL" }));
            }
        }
    }

    [Test]
    public void The_image_has_the_servers_ports_and_listens_outside_of_it()
    {
        Assert.That(Instruction("EXPOSE").Single().Split(' '), Is.EqualTo(new[] { $"{RestPort}", $"{GrpcPort}" }));
        Assert.That(ImageVariables()["FASTNN_HOST"], Is.EqualTo("0.0.0.0"));
        Assert.That(Instruction("ENTRYPOINT").Single(), Is.EqualTo("""["dotnet", "/app/FastNN.Cli.dll", "serve"]"""));
        Assert.That(File.Exists(Path.Combine(Root, "src", "FastNN.Cli", "FastNN.Cli.csproj")));
        Assert.That(Instruction("FROM").Last(), Does.Match(@"^mcr\.microsoft\.com/dotnet/aspnet:10\.0-[a-z]+-chiseled$"));
    }

    [Test]
    public void A_pod_ends_in_order_within_its_time_and_its_memory()
    {
        YamlNode pod = Spec("kubernetes/deployment.yaml")["template"]["spec"];
        YamlNode container = Items(pod["containers"]).Single();
        ServeSettings settings = Settings(container);
        double pause = Number(container["lifecycle"]["preStop"]["sleep"]["seconds"]);
        Assert.That(Number(pod["terminationGracePeriodSeconds"]), Is.GreaterThan(settings.Drain.TotalSeconds + pause));

        string limit = Items(container["args"]).Select(Text)
            .Single(arg => arg.StartsWith("--memory-limit=", StringComparison.Ordinal));
        int mebibytes = int.Parse(Digits().Match(limit).Value, CultureInfo.InvariantCulture);
        string memory = Text(container["resources"]["limits"]["memory"]);
        Assert.That(limit, Does.EndWith("MiB"));
        Assert.That(memory, Does.EndWith("Gi"));
        Assert.That(mebibytes, Is.LessThan(1024 * int.Parse(Digits().Match(memory).Value, CultureInfo.InvariantCulture)));
    }

    [Test]
    public void Manifests_name_one_another()
    {
        YamlNode deployment = Documents("kubernetes/deployment.yaml").Single();
        YamlNode pod = deployment["spec"]["template"], container = Items(pod["spec"]["containers"]).Single();
        const string Label = "app.kubernetes.io/name";
        string name = Text(pod["metadata"]["labels"][Label]);
        YamlNode[] services = [.. Documents("kubernetes/service.yaml")];
        YamlNode monitor = Spec("kubernetes/service-monitor.yaml"), scaler = Spec("kubernetes/autoscaler.yaml");
        YamlNode kustomization = Documents("kubernetes/kustomization.yaml").Single();
        Assert.Multiple(() =>
        {
            Assert.That(Text(deployment["spec"]["selector"]["matchLabels"][Label]), Is.EqualTo(name));
            Assert.That(services.Select(service => Text(service["spec"]["selector"][Label])), Is.All.EqualTo(name));
            Assert.That(
                services.SelectMany(service => Items(service["spec"]["ports"]))
                    .Select(port => PortOf(container, Text(port["targetPort"])) - Number(port["port"])),
                Is.All.Zero);
            Assert.That(
                services.Count(
                    service => Text(service["metadata"]["labels"][Label]) == Text(monitor["selector"]["matchLabels"][Label])),
                Is.EqualTo(1), "each pod is asked for its metrics once");
            Assert.That(Endpoints().Select(Pattern), Does.Contain(Text(Items(monitor["endpoints"]).Single()["path"])));
            Assert.That(Text(Spec("kubernetes/disruption-budget.yaml")["selector"]["matchLabels"][Label]), Is.EqualTo(name));
            Assert.That(Text(Spec("kubernetes/network-policy.yaml")["podSelector"]["matchLabels"][Label]), Is.EqualTo(name));
            Assert.That(Text(scaler["scaleTargetRef"]["name"]), Is.EqualTo(Text(deployment["metadata"]["name"])));
            Assert.That(Number(scaler["minReplicas"]), Is.EqualTo(Number(deployment["spec"]["replicas"])));
            Assert.That(
                Text(Items(kustomization["images"]).Single()["name"]), Is.EqualTo(Text(container["image"])));
            Assert.That(
                Items(kustomization["resources"]).Select(Text),
                Is.EquivalentTo(
                    Files.Where(file => file.StartsWith("kubernetes", StringComparison.Ordinal)).Select(Path.GetFileName)
                        .Except(["kustomization.yaml", "prometheus-adapter.yaml"])));
        });
    }

    [Test]
    public void The_autoscaler_asks_for_a_metric_that_is_made_of_those_of_the_server()
    {
        YamlNode rule = Items(Documents("kubernetes/prometheus-adapter.yaml").Single()["rules"]["custom"]).Single();
        YamlNode metric = Items(Spec("kubernetes/autoscaler.yaml")["metrics"]).Single()["pods"]["metric"];
        Assert.That(Text(metric["name"]), Is.EqualTo(Text(rule["name"]["as"])));

        using ServiceProvider services = new ServiceCollection().AddServingTelemetry()
            .AddSingleton<IModelCatalog>(new StillCatalog()).BuildServiceProvider();
        MetricCollector collector = services.GetRequiredService<MetricCollector>();
        ModelTelemetry model = services.GetRequiredService<ServingTelemetry>().Of("digits", "1");
        using var call = new FinishedCall();
        model.CallEnded(model.CallStarted(), call, null);
        string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
        string[] known = [.. Names().Matches(text).Select(it => it.Value)];
        string queries = Text(rule["seriesQuery"]) + Text(rule["metricsQuery"]);
        Assert.That(Names().Matches(queries).Select(it => it.Value).Distinct(), Is.SubsetOf(known).And.Not.Empty);
    }

    [Test]
    public void Models_of_KServe_find_their_runtime()
    {
        YamlNode runtime = Documents("kserve/cluster-serving-runtime.yaml").Single();
        YamlNode model = Spec("kserve/inference-service.yaml")["predictor"]["model"];
        Assert.That(Text(model["runtime"]), Is.EqualTo(Text(runtime["metadata"]["name"])));
        Assert.That(
            Items(runtime["spec"]["supportedModelFormats"]).Select(format => Text(format["name"])),
            Does.Contain(Text(model["modelFormat"]["name"])));
        Assert.That(Items(runtime["spec"]["protocolVersions"]).Select(Text), Does.Contain(Text(model["protocolVersion"])));
        foreach (string file in Files.Where(file => file.Contains("runtime", StringComparison.Ordinal)))
        {
            YamlNode spec = Spec(file);
            Assert.That(Text(spec["annotations"]["prometheus.kserve.io/port"]), Is.EqualTo($"{RestPort}"));
            Assert.That(Endpoints().Select(Pattern), Does.Contain(Text(spec["annotations"]["prometheus.kserve.io/path"])));
            Assert.That(Items(spec["containers"]).Select(it => Text(it["name"])), Is.EqualTo(new[] { "kserve-container" }));
        }
    }

    [Test]
    public void What_the_image_is_built_of_is_sent_to_the_builder()
    {
        string[] lines = [.. File.ReadLines(Path.Combine(Root, ".dockerignore")).Where(line => line is not ("" or ['#', ..]))];
        string[] outputs = [".git", "build", "out"];
        foreach (string ignored in lines.Where(line => !line.Contains('*') && line[0] != '!').Except(outputs))
        {
            Assert.That(Path.Exists(Path.Combine(Root, ignored)), ignored);
        }

        Assert.That(lines, Does.Contain("!tests/FastNN.Cases"), "the tool has the cases of selftest");
        Assert.That(lines, Does.Contain("!data/breast-cancer"), "FastNN.Datasets embeds it");
    }

    /// <summary>
    /// What `fastnn serve` makes of a container's arguments, with the variables of the image; mounted files are stood in for.
    /// </summary>
    private ServeSettings Settings(YamlNode container)
    {
        string[] args = [.. Items(container["args"]).Select(Text)];
        Assert.That(args[0], Does.StartWith("/"), "the folder of models");
        var given = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase) { [ServeOption.Folder] = Folder };
        foreach (string arg in args.Skip(1))
        {
            string[] parts = arg.Split('=', 2);
            ServeOption? option = ServeOption.All.SingleOrDefault(it => it.Switch == parts[0]);
            Assert.That(option, Is.Not.Null, $"there is no option {parts[0]}");
            Assert.That(option!.IsFlag, Is.EqualTo(parts.Length == 1), $"{arg}: value expected or not");
            given[option.Name] = option.Name == "api-keys" ? WriteKeys() : parts.Length == 1 ? "true" : parts[1];
        }

        IReadOnlyDictionary<string, string> variables = ImageVariables();
        return ServeSettings.Read(ServeValues.Read(given, null, name => variables.GetValueOrDefault(name)));
    }

    private string WriteKeys()
    {
        File.WriteAllText(At("keys"), $"ci infer sha256:{new string('0', 64)}\n");
        return At("keys");
    }

    private static RouteEndpoint[] Endpoints()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddFastNN();
        builder.Services.AddHealthChecks().AddFastNN();
        WebApplication app = builder.Build();
        app.MapFastNN();
        app.MapFastNNMetrics();
        return [.. ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];
    }

    private static string Pattern(RouteEndpoint endpoint) => $"/{endpoint.RoutePattern.RawText!.Trim('/')}";

    private static IEnumerable<YamlNode> Documents(string file)
    {
        using var reader = new StreamReader(Path.Combine(Root, "deploy", file));
        var stream = new YamlStream();
        stream.Load(reader);
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    private static YamlNode Spec(string file) => Documents(file).Single()["spec"];

    /// <summary>The containers of a Deployment or of a runtime of KServe.</summary>
    private static IEnumerable<YamlNode> Containers(YamlNode document) =>
        Find(document, "spec") is not { } spec ? []
        : Find(spec, "template") is { } template ? Items(template["spec"]["containers"])
        : Find(spec, "containers") is { } containers ? Items(containers) : [];

    private static int PortOf(YamlNode container, string port) =>
        int.TryParse(port, CultureInfo.InvariantCulture, out int number)
            ? number
            : Number(Items(container["ports"]).Single(it => Text(it["name"]) == port)["containerPort"]);

    private static YamlNode? Find(YamlNode node, string key) =>
        node is YamlMappingNode { Children: var children } && children.TryGetValue(new YamlScalarNode(key), out YamlNode? found)
            ? found
            : null;

    private static IEnumerable<YamlNode> Items(YamlNode node) => ((YamlSequenceNode)node).Children;

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static int Number(YamlNode node) => int.Parse(Text(node), CultureInfo.InvariantCulture);

    /// <summary>What follows an instruction of the Dockerfile, continued lines as one.</summary>
    private static string[] Instruction(string name) =>
    [
        .. Continued()
            .Replace(File.ReadAllText(Path.Combine(Root, "deploy", "Dockerfile")).ReplaceLineEndings("\n"), " ").Split('\n')
            .Where(line => line.StartsWith($"{name} ", StringComparison.Ordinal))
            .Select(line => line[(name.Length + 1)..].Trim()),
    ];

    private static Dictionary<string, string> ImageVariables() => Instruction("ENV")
        .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(pair => pair.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FastNN.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex(@"\bfastnn_[a-z_]+")]
    private static partial Regex Names();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();

    [GeneratedRegex(@"\\\n")]
    private static partial Regex Continued();
}
