using System.Net;
using System.Text.Json;
using FastNN.Cli.Reports;

namespace FastNN.Tests.Cli;

/// <summary>Kept runs are listed and compared, and one under way is followed.</summary>
internal sealed class RunsAndWatchTests : CliFixture
{
    [Test]
    public void Runs_are_listed_with_what_became_of_them()
    {
        Assert.That(Run("train", "breast-cancer-mlp", "--epochs", "2", "--seed", "3", "--out", At("runs/a")).Code, Is.Zero);
        Assert.That(Run("train", "iris", "--quick", "--out", At("runs/deep/b")).Code, Is.Zero);
        RunUntil("epoch  1/9", "train", "breast-cancer-mlp", "--epochs", "9", "--out", At("runs/c"));
        Directory.CreateDirectory(At("runs/broken"));
        File.WriteAllText(At("runs/broken/result.json"), "{");
        Directory.CreateDirectory(At("runs/strange"));
        File.WriteAllText(At("runs/strange/progress.jsonl"), "{}\n");
        Directory.CreateDirectory(At("runs/killed"));
        File.WriteAllText(
            At("runs/killed/progress.jsonl"),
            """
            {"kind":"begin","seconds":0,"recipe":"mnist-mlp","seed":1,"quick":false,"step":0,"time":"2026-01-02T03:04:05Z"}
            {"kind":"step","seconds":1.5,"phase":"","step":1,"steps":9,"loss":2.5}
            {"kind":"st
            """);

        CliResult result = Run("runs", "--out", At("runs"), "--html", At("runs.html"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] lines =
        [
            .. result.Output.Split('\n')
                .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))),
        ];
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Does.StartWith("run recipe seed state reached wanted seconds"));
            Assert.That(lines, Has.Some.Match(@"^a breast-cancer-mlp 3 (passed|missed) test accuracy 0\.\d+ 0\.95 "));
            Assert.That(lines, Has.Some.Match(@"^deep.b iris \(quick\) 0 passed "));
            Assert.That(lines, Has.Some.StartsWith("c breast-cancer-mlp 0 interrupted "));
            Assert.That(lines, Has.Some.StartsWith("killed mnist-mlp 1 stopped 1.5 2026-01-02 03:04"));
            Assert.That(result.Error, Does.Contain("broken: not read").And.Contain("strange: not read"));
            Assert.That(File.ReadAllText(At("runs.html")), Does.Contain("polyline").And.Contain("breast-cancer-mlp"));
        });
        Assert.That(
            Run("runs", "--out", At("runs"), "--recipe", "iris").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Has.Length.EqualTo(2));
    }

    [Test]
    public void A_folder_without_runs_and_one_that_is_not_there_are_told_apart()
    {
        Directory.CreateDirectory(At("empty"));
        Assert.That(Run("runs", "--out", At("empty")).Output, Does.StartWith("no runs in "));
        AssertFails(Run("runs", "--out", At("nowhere")), 1, "there is no such folder");
        AssertFails(Run("watch", At("nowhere")), 1, "there is no such folder");
    }

    [Test]
    public void Progress_is_whole_lines_from_the_beginning_to_the_end()
    {
        Assert.That(Run("train", "breast-cancer-mlp", "--epochs", "2", "--out", At("run")).Code, Is.Zero);
        JsonElement[] lines =
            [.. File.ReadAllLines(At("run/progress.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Multiple(() =>
        {
            string[] kinds = [.. lines.Select(line => line.GetProperty("kind").GetString()!)];
            Assert.That(kinds[0], Is.EqualTo("begin"));
            Assert.That(kinds[^1], Is.EqualTo("end"));
            Assert.That(kinds.Count(kind => kind == "epoch"), Is.EqualTo(2));
            JsonElement last = lines.Last(line => line.GetProperty("kind").GetString() == "step");
            Assert.That(last.GetProperty("step").GetInt64(), Is.EqualTo(last.GetProperty("steps").GetInt64()));
            Assert.That(lines[^1].GetProperty("text").GetString(), Does.StartWith("test accuracy"));
        });
    }

    [Test]
    public void A_resumed_run_appends_and_a_new_one_begins_anew()
    {
        string[] train = ["train", "breast-cancer-mlp", "--epochs", "6", "--out", At("run")];
        RunUntil("epoch  2/6", train);
        Assert.That(Run([.. train, "--resume"]).Code, Is.Zero);
        Assert.That(Begins(), Is.EqualTo(2));
        Assert.That(Run([.. train, "--overwrite"]).Code, Is.Zero);
        Assert.That(Begins(), Is.EqualTo(1));

        int Begins() => File.ReadLines(At("run/progress.jsonl"))
            .Count(line => line.Contains("\"begin\"", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_page_is_sent_what_is_new_and_nothing_else()
    {
        Directory.CreateDirectory(At("run"));
        using var stop = new CancellationTokenSource();
        using var server = new WatchServer(At("run"), port: 0);
        Task serving = Task.Run(() => server.Serve(stop.Token));
        using var client = new HttpClient { BaseAddress = new Uri(server.Address) };
        Assert.That((await client.GetAsync("progress")).StatusCode, Is.EqualTo(HttpStatusCode.NoContent), "no run yet");

        using (var progress = new ProgressFile(At("run"), continues: false))
        {
            progress.Begin("mnist-mlp", seed: 1, quick: false, epochs: 2, step: 0);
            progress.Step("", 1, 10, 2.5);
            HttpResponseMessage first = await client.GetAsync("progress?run=&from=0");
            string[] lines = (await first.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(lines, Has.Length.EqualTo(2));
            string run = first.Headers.GetValues("X-Run").Single(), next = first.Headers.GetValues("X-Next").Single();

            progress.Step("", 10, 10, double.NaN);
            string more = await client.GetStringAsync($"progress?run={run}&from={next}");
            Assert.That(more, Does.Contain("\"step\":10").And.Not.Contain("begin").And.Not.Contain("loss"));
            Assert.That(await client.GetStringAsync("progress?run=another&from=100"), Does.StartWith("{\"kind\":\"begin\""));
        }

        HttpResponseMessage page = await client.GetAsync("");
        string script = await client.GetStringAsync("watch.js");
        using var post = new StringContent("");
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "") { Headers = { Host = "example.org" } };
        Assert.That(page.Headers.GetValues("Content-Security-Policy").Single(), Does.Contain("script-src 'self'"));
        Assert.That(await page.Content.ReadAsStringAsync(), Does.Contain("watch.js"));
        Assert.That(script, Does.Not.Contain("innerHTML").And.Not.Contain("eval("));
        Assert.That((await client.GetAsync("report.html")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound), "no report yet");
        Assert.That((await client.GetAsync("progress.jsonl")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await client.PostAsync("", post)).StatusCode, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
        Assert.That((await client.SendAsync(foreign)).StatusCode, Is.EqualTo(HttpStatusCode.NotFound), "another host's name");
        await stop.CancelAsync();
        Assert.That(await Task.WhenAny(serving, Task.Delay(10_000)), Is.SameAs(serving));
    }

    [Test]
    public void Watching_says_where_and_ends_with_control_C()
    {
        Directory.CreateDirectory(At("run"));
        CliResult result = RunUntil("Ctrl-C", "watch", At("run"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Match(@"watching .* at http://127\.0\.0\.1:\d+/ \(Ctrl-C ends\)"));
        AssertFails(Run("watch", At("run"), "--port", "70000"), 2, "expected a number from 1 to 65535");
    }

    [Test]
    public void A_port_that_is_taken_is_named()
    {
        Directory.CreateDirectory(At("run"));
        using var first = new WatchServer(At("run"), port: 0);
        int port = new Uri(first.Address).Port;
        AssertFails(Run("watch", At("run"), "--port", $"{port}"), 1, $"--port {port}: cannot listen there");
    }
}
