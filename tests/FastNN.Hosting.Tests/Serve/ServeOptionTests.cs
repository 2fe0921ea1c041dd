using FastNN.Cli;
using FastNN.Cli.Serving;

namespace FastNN.Hosting.Tests.Serve;

/// <summary>Options from the command line, the environment and a file, and what is said of wrong ones.</summary>
public sealed class ServeOptionTests : ServeFixture
{
    [TestCase("MODELS_FOLDER: expected a folder of models, got none")]
    [TestCase("There is no option '--prot'. Did you mean '--port'?", "--prot")]
    [TestCase("--port: 'x' is not a whole number from 0 to 65535", "M", "--port", "x")]
    [TestCase("--port: '65536'", "M", "--port", "65536")]
    [TestCase("--grpc-port: '-1'", "M", "--grpc-port", "-1")]
    [TestCase("--host: 'example.com' is not an IP address", "M", "--host", "example.com")]
    [TestCase("--host: at 0.0.0.0 the network could call the server without a key", "M", "--host", "*")]
    [TestCase("--host: at ::", "M", "--host", "[::]")]
    [TestCase("--tls-certificate: there is no file 'none.pem'", "M", "--tls-certificate", "none.pem")]
    [TestCase("expected both or neither, got one", "M", "--tls-key", "KEYS")]
    [TestCase("expected PEM files of a certificate", "M", "--tls-certificate", "KEYS", "--tls-key", "KEYS")]
    [TestCase("--api-keys: there is no file 'none'", "M", "--api-keys", "none")]
    [TestCase("--api-keys: API keys, line 1: expected NAME SCOPES", "M", "--api-keys", "KEYS")]
    [TestCase("--jwt-audience: expected the audience", "M", "--jwt-authority", "https://issuer.example")]
    [TestCase("--jwt-audience: expected --jwt-authority or", "M", "--jwt-audience", "a")]
    [TestCase("--jwt-authority: 'http://issuer.example' is not an https", "M", "--jwt-authority", "http://issuer.example")]
    [TestCase("expected one, got both", "M", "--jwt-authority", "https://i.example", "--jwt-key", "KEYS", "--jwt-audience", "a")]
    [TestCase("--cors: 'example.com' is not an origin", "M", "--cors", "https://a.example,example.com")]
    [TestCase("--cors: 'https://a.example/x' is not an origin", "M", "--cors", "https://a.example/x")]
    [TestCase("--allowed-hosts: 'http://a' is not a host", "M", "--allowed-hosts", "http://a")]
    [TestCase("--max-batch: '0' is not a whole number from 1 to 65536", "M", "--max-batch", "0")]
    [TestCase("--max-delay: '5' is not a time from 0ms to 1s", "M", "--max-delay", "5")]
    [TestCase("--max-delay: '2s'", "M", "--max-delay", "2s")]
    [TestCase("--time-out: '0ms'", "M", "--timeout", "0ms")]
    [TestCase("--queue: '1.5'", "M", "--queue", "1.5")]
    [TestCase("--max-request-bytes: '64Mib of'", "M", "--max-request-bytes", "64Mib of")]
    [TestCase("--max-request-bytes: '2GiB' is not a size of less than 2GiB", "M", "--max-request-bytes", "2GiB")]
    [TestCase("--memory-limit: '9999999999999G'", "M", "--memory-limit", "9999999999999G")]
    [TestCase("--threads: '0'", "M", "--threads", "0")]
    [TestCase("--device: 'gpu' is not one of cpu, cuda, best", "M", "--device", "gpu")]
    [TestCase("--log-inputs: 'all' is not one of off, shapes, redacted", "M", "--log-inputs", "all")]
    [TestCase("--otlp: 'collector' is not an http or https address", "M", "--otlp", "collector")]
    [TestCase("--watch: 'maybe' is not true or false", "M", "--watch", "maybe")]
    [TestCase("--config: there is no file 'none.json'", "M", "--config", "none.json")]
    [TestCase("--new-key: 'ci' is not NAME:SCOPE", "--new-key", "ci")]
    [TestCase("--new-key: 'ci:root' is not NAME:SCOPE", "--new-key", "ci:root")]
    [TestCase("--new-key: 'c i:infer' is not NAME:SCOPE", "--new-key", "c i:infer")]
    public void A_wrong_command_line_is_told_in_one_line(string message, params string[] args)
    {
        File.WriteAllText(At("keys"), "not a line of keys\n");
        (int code, string output, string error) = ServedCommand.Run(
            [.. args.Select(argument => argument.Replace("KEYS", At("keys"), StringComparison.Ordinal) is "M" ? Models
                : argument.Replace("KEYS", At("keys"), StringComparison.Ordinal))]);
        Assert.That(code, Is.EqualTo(2), error);
        Assert.That(error, Does.StartWith("fastnn: ").And.Contain(message));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(output, Is.Empty);
    }

    [Test]
    public void The_command_line_comes_before_the_environment_and_that_before_the_file()
    {
        File.WriteAllText(At("serve.json"), """
            {
              // Comments and trailing commas are taken.
              "port": 1000, "grpc-port": "off", "max-batch": 64, "metrics": true, "time-out": "1.5s",
              "cors": ["https://a.example", "https://b.example"],
            }
            """);
        ServeValues values = Read(
            new() { ["models"] = Models, ["port"] = "1002" },
            new() { ["FASTNN_PORT"] = "1001", ["FASTNN_MAX_BATCH"] = "65", ["FASTNN_CONTROL"] = "1", ["FASTNN_DATA"] = "/data" });
        ServeSettings settings = ServeSettings.Read(values);
        var server = new FastNNServerOptions();
        settings.Server(server);
        var models = new FastNNOptions();
        settings.Models(models);
        Assert.Multiple(() =>
        {
            Assert.That(settings.Port, Is.EqualTo(1002));
            Assert.That(settings.GrpcPort, Is.Null);
            Assert.That(models.Batching.MaxBatch, Is.EqualTo(65));
            Assert.That((settings.Metrics, settings.Control, server.AllowRepositoryControl), Is.EqualTo((true, true, true)));
            Assert.That(server.CorsOrigins, Is.EqualTo(new[] { "https://a.example", "https://b.example" }));
            Assert.That(settings.TimeOut, Is.EqualTo(TimeSpan.FromSeconds(1.5)));
            Assert.That(settings.Folder, Is.EqualTo(Models));
        });
    }

    [Test]
    public void A_wrong_value_is_told_where_it_stands()
    {
        File.WriteAllText(At("serve.json"), """{ "queue": "many" }""");
        string Fault(Dictionary<string, string?> given, Dictionary<string, string> variables)
        {
            given["models"] = Models;
            CliException exception = Assert.Throws<CliException>(() => ServeSettings.Read(Read(given, variables)))!;
            Assert.That(exception.ExitCode, Is.EqualTo(2));
            return exception.Message;
        }

        Assert.That(Fault([], []), Does.StartWith($"queue in {At("serve.json")}: 'many' is not a whole number"));
        Assert.That(Fault([], new() { ["FASTNN_QUEUE"] = "few" }), Does.StartWith("FASTNN_QUEUE: 'few' is not"));
        Assert.That(
            Fault(new() { ["queue"] = "no" }, new() { ["FASTNN_QUEUE"] = "few" }), Does.StartWith("--queue: 'no' is not"));
    }

    [TestCase("""{ "prot": 1 }""", "has 'prot', which is no option. Did you mean 'port'?")]
    [TestCase("[", "is not a JSON object of options")]
    [TestCase("""{ "port": [1, 2] }""", "expected one value, got several")]
    public void A_malformed_file_is_told(string text, string message)
    {
        File.WriteAllText(At("serve.json"), text);
        (int code, _, string error) = ServedCommand.Run(Models, "--config", At("serve.json"));
        Assert.That(code, Is.EqualTo(2));
        Assert.That(error, Does.Contain(message));
    }

    [TestCase("65536", 65_536)]
    [TestCase("64KiB", 65_536)]
    [TestCase("64k", 65_536)]
    [TestCase("1MB", 1 << 20)]
    [TestCase("1G", 1 << 30)]
    public void Sizes_have_the_usual_units(string text, int bytes) => Assert.That(
        Read(new() { ["max-request-bytes"] = text }, [], file: false).Size("max-request-bytes", 1, 0), Is.EqualTo(bytes));

    [TestCase("500us", 0.5)]
    [TestCase("2ms", 2)]
    [TestCase("0.5s", 500)]
    [TestCase("1min", 60_000)]
    public void Times_have_units(string text, double milliseconds) => Assert.That(
        Read(new() { ["drain"] = text }, [], file: false).Time("drain", TimeSpan.Zero, TimeSpan.FromHours(1)),
        Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    [Test]
    public void The_network_may_call_with_keys_or_where_that_is_wanted()
    {
        WriteKeys("infer");
        Assert.That(Settings(("host", "0.0.0.0"), ("api-keys", At("keys"))).IsOpen, Is.False);
        ServeSettings open = Settings(("host", "*"), ("insecure", "true"));
        var server = new FastNNServerOptions();
        open.Server(server);
        Assert.That((open.IsOpen, server.AllowUnauthenticated), Is.EqualTo((true, true)));
    }

    [Test]
    public void Help_shows_every_option_and_examples()
    {
        (int code, string output, string error) = ServedCommand.Run("--help");
        Assert.That((code, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("fastnn serve models --host 0.0.0.0 --api-keys keys"));
        Assert.That(ServeOption.All.Where(option => !output.Contains(option.Switch, StringComparison.Ordinal)), Is.Empty);
    }

    private ServeValues Read(Dictionary<string, string?> given, Dictionary<string, string> variables, bool file = true) =>
        ServeValues.Read(given, file ? At("serve.json") : null, variables.GetValueOrDefault);
}
