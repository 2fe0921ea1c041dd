using System.Diagnostics;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using FastNN.Cli.Reports;
using FastNN.Testing.Browser;

namespace FastNN.Tests.Cli;

/// <summary>What a run leaves for people to look at: its report, read back.</summary>
internal sealed class ReportTests : CliFixture
{
    private const int MostBytes = 300_000;

    [Test]
    public void A_training_leaves_a_page_of_its_own_with_everything_in_it()
    {
        CliResult result = Run(
            "train", "breast-cancer-mlp", "--epochs", "3", "--seed", "7", "--threads", "1", "--out", At("run"));
        Assert.That(result.Code, Is.Zero, result.Error);
        XElement page = AssertIsWhole(Path.Combine(At("run"), "report.html"));
        string text = page.Value;
        Assert.Multiple(() =>
        {
            Assert.That(
                page.Descendants("h2").Select(title => title.Value), Is.EqualTo(new[]
                {
                    "Curves", "Classes", "Confusion", "Time by operator", "Memory of a training step", "Settings", "Machine",
                }));
            Assert.That(
                page.Descendants("h3").Select(title => title.Value),
                Is.EqualTo(new[] { "Loss by step", "Loss by epoch", "Accuracy", "Learning rate" }));
            Assert.That(text, Does.Contain("malignant").And.Contain("test loss").And.Contain("Dense + ReLU").And.Contain("CPU"));
            Assert.That(
                page.Descendants("table").First(table => (string?)table.Attribute("class") == "confusion").Descendants("td")
                    .Sum(cell => cell.Value.Length == 0 ? 0 : int.Parse(cell.Value)), Is.EqualTo(114));
        });
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(At("run"), "result.json")));
        Assert.That(json.RootElement.GetProperty("seed").GetUInt64(), Is.EqualTo(7));
    }

    [Test]
    public void Images_show_the_worst_mistakes()
    {
        RequireMnist();
        Assert.That(Run("train", "mnist-mlp", "--quick", "--out", At("run")).Code, Is.Zero);
        XElement page = AssertIsWhole(Path.Combine(At("run"), "report.html"));
        XElement[] figures = [.. page.Descendants("figure")];
        Assert.That(figures, Has.Length.EqualTo(16));
        Assert.That(figures[0].Value, Does.Match(@"^\d taken for \d \(\d+ %\)$"));
        byte[] png = Convert.FromBase64String(((string)figures[0].Element("img")!.Attribute("src")!).Split(',')[1]);
        Assert.That(png[..8], Is.EqualTo(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10 }));
    }

    [Test]
    public void A_program_of_its_own_leaves_its_phases_and_figures()
    {
        Assert.That(Run("train", "iris", "--quick", "--out", At("run")).Code, Is.Zero);
        XElement page = AssertIsWhole(Path.Combine(At("run"), "report.html"));
        Assert.That(page.Descendants("h1").Single().Value, Is.EqualTo("iris"));
        Assert.That(page.Descendants("h2").Select(title => title.Value), Does.Contain("Figures").And.Contain("Settings"));
    }

    [Test]
    public void A_resumed_run_shows_the_epochs_before_it()
    {
        CliResult interrupted = RunUntil("epoch  3/9", "train", "breast-cancer-mlp", "--epochs", "9", "--out", At("run"));
        Assert.That(interrupted.Code, Is.EqualTo(130));
        Assert.That(Run("train", "breast-cancer-mlp", "--epochs", "9", "--out", At("run"), "--resume").Code, Is.Zero);
        XElement page = AssertIsWhole(Path.Combine(At("run"), "report.html"));
        XElement loss = page.Descendants("h3").First(title => title.Value == "Loss by epoch").Parent!;
        Assert.That(((string)loss.Descendants("polyline").First().Attribute("points")!).Split(' '), Has.Length.EqualTo(9));
    }

    [Test]
    public void Texts_are_escaped_wherever_they_stand()
    {
        const string Evil = "\"><script>alert('x')</script>&\u001b[31m\ud800";
        using var page = new HtmlPage(Evil);
        page.Element("p", Evil, ("title", Evil)).Facts([(Evil, Evil)]).Picture([1, 2, 3], Evil, 10);
        LineChart.Write(page, Evil, Evil, [new ChartLine(Evil, [(1, 2), (2, 3)], 0)]);
        File.WriteAllBytes(At("page.html"), page.ToBytes());
        XElement read = AssertIsWhole(At("page.html"));
        Assert.That(read.Descendants("p").Single().Value, Is.EqualTo("\"><script>alert('x')</script>&\uFFFD[31m\uFFFD"));
    }

    [Test]
    public void Charts_leave_gaps_and_keep_peaks()
    {
        using var page = new HtmlPage("chart");
        var points = new (double, double)[10_000];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = (i, i == 5_000 ? 77 : i is > 2_000 and < 3_000 ? double.NaN : 1);
        }

        LineChart.Write(page, "loss", "step", [new ChartLine("a", points, 0), new ChartLine("b", [(3, 5)], 1)]);
        File.WriteAllBytes(At("page.html"), page.ToBytes());
        XElement[] lines = [.. AssertIsWhole(At("page.html")).Descendants("polyline")];
        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.EqualTo(3), "two stretches, and a point");
            Assert.That(lines[1].Attribute("points")!.Value.Split(' ').Select(point => double.Parse(point.Split(',')[1])).Min(),
                Is.LessThan(30), "the peak reaches the top");
            Assert.That(lines.Sum(line => line.Attribute("points")!.Value.Length), Is.LessThan(8_000));
            Assert.That(LineChart.Ticks(0, 1), Is.EqualTo(new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 }).Within(1e-9));
            Assert.That(LineChart.Ticks(1, 4, whole: true), Is.EqualTo(new[] { 1, 2, 3, 4 }));
        });
    }

    [TestCase(1280)]
    [TestCase(390)]
    public void A_browser_shows_the_page(int width)
    {
        string browser = Chromium.FindOrIgnore();
        Assert.That(Run("train", "breast-cancer-mlp", "--epochs", "3", "--out", At("run")).Code, Is.Zero);
        // A headless window is never narrower than 500 pixels; a frame is.
        File.WriteAllText(
            At("frame.html"),
            $"<body style='margin:0'><iframe src='run/report.html' style='width:{width}px;height:2000px;border:0'></iframe>");
        using Process process = Process.Start(new ProcessStartInfo(browser)
        {
            ArgumentList =
            {
                "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", $"--user-data-dir={At("profile")}",
                $"--window-size={width},2000", $"--screenshot={At("page.png")}", new Uri(At("frame.html")).AbsoluteUri,
            },
            RedirectStandardError = true,
        })!;
        process.StandardError.ReadToEnd();
        Assert.That(process.WaitForExit(60_000));
        Assert.That(new FileInfo(At("page.png")), Has.Length.GreaterThan(20_000), "a blank page has 10 kB");
    }

    /// <summary>Well-formed, small, without a script, and with nothing from outside.</summary>
    private static XElement AssertIsWhole(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        Assert.That(bytes, Has.Length.LessThan(MostBytes));
        using var reader = XmlReader.Create(
            new MemoryStream(bytes), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        XElement page = XElement.Load(reader);
        Assert.Multiple(() =>
        {
            Assert.That(page.DescendantsAndSelf("script"), Is.Empty);
            Assert.That(
                page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href" or "action")
                    .Select(attribute => attribute.Value),
                Has.All.StartsWith("data:image/png;base64,"));
            Assert.That(page.Descendants("style").Single().Value, Does.Not.Contain("url(").And.Not.Contain("@import"));
            Assert.That(System.Text.Encoding.UTF8.GetString(bytes), Does.Not.Contain("http://").And.Not.Contain("https://"));
        });
        return page;
    }
}
