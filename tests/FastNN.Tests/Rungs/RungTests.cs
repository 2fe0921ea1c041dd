using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Xml.Linq;
using FastNN.Cpu;

namespace FastNN.Tests.Rungs;

/// <summary>
/// Every rung of the SIMD ladder below this machine's: the tests of category Rungs, which compare all operators with the double
/// references, once more in child processes whose runtime is told to do without the wider vectors.
/// </summary>
[Category("Apart")]
internal sealed class RungTests
{
    private const string Marker = "rung: ";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(12);

    /// <summary>What this process runs on, said where the parent of a child process can read it.</summary>
    [Test]
    [Category("Rungs")]
    public void The_device_says_which_instructions_it_uses()
    {
        using var device = new CpuDevice(1);
        string expected = Vector512.IsHardwareAccelerated ? "AVX-512"
            : Fma.IsSupported && Vector256.IsHardwareAccelerated ? "AVX2+FMA"
            : AdvSimd.IsSupported ? "NEON"
            : Vector128.IsHardwareAccelerated ? "SSE"
            : "scalar";
        Assert.That(device.Description, Does.Contain(expected));
        TestContext.Out.WriteLine(Marker + expected);
    }

    [TestCase("DOTNET_EnableAVX512", "AVX2+FMA")]
    [TestCase("DOTNET_EnableAVX2", "SSE")]
    [TestCase("DOTNET_EnableHWIntrinsic", "scalar")]
    public void A_lower_rung_passes_the_same_tests(string disabled, string rung)
    {
        if (RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64
            && disabled != "DOTNET_EnableHWIntrinsic")
        {
            Assert.Ignore($"{disabled} means nothing on {RuntimeInformation.ProcessArchitecture}");
        }

        if (rung == "AVX2+FMA" && !Vector512.IsHardwareAccelerated)
        {
            Assert.Ignore("this processor has no AVX-512, so the other tests ran on a lower rung already");
        }

        if (rung != "SSE")
        {
            Quick.Skip("all narrower rungs but one");
        }

        string folder = Directory.CreateTempSubdirectory("fastnn-rungs-").FullName;
        try
        {
            string report = RunChild(disabled, folder);
            Assert.That(report, Does.Contain(Marker + rung), "the child did not run on the lower rung");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// Runs the category without an instruction set; fails unless all tests passed. Returns what the rung's test wrote.
    /// </summary>
    private static string RunChild(string disabled, string folder)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in new[]
        {
            "test", typeof(RungTests).Assembly.Location, "--filter", "TestCategory=Rungs", "--logger",
            "trx;LogFileName=rungs.trx", "--results-directory", folder,
            // As tests/nunit.runsettings has it, which is not read where the assembly is named.
            "--", "NUnit.AssemblySelectLimit=1000000",
        })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[disabled] = "0";
        if (Quick.IsOn)
        {
            start.Environment["FASTNN_EVERY_NTH_CASE"] = "10";
        }

        using Process child = Process.Start(start)!;
        Task<string> output = child.StandardOutput.ReadToEndAsync();
        Task<string> errors = child.StandardError.ReadToEndAsync();
        if (!child.WaitForExit(Longest))
        {
            child.Kill(entireProcessTree: true);
            Assert.Fail($"The child did not end within {Longest}.");
        }

        Assert.That(child.ExitCode, Is.Zero, () => output.Result + errors.Result);
        XDocument report = XDocument.Load(Path.Combine(folder, "rungs.trx"));
        XElement counters = report.Descendants().Single(element => element.Name.LocalName == "Counters");
        int least = Quick.IsOn ? 150 : 250;
        Assert.That((int)counters.Attribute("passed")!, Is.EqualTo((int)counters.Attribute("total")!).And.GreaterThan(least));
        TestContext.Out.WriteLine($"{disabled}=0: {counters.Attribute("passed")!.Value} passed");
        XElement test = report.Descendants().Single(element =>
            element.Name.LocalName == "UnitTestResult"
                && element.Attribute("testName")!.Value == nameof(The_device_says_which_instructions_it_uses));
        return test.Value;
    }
}
