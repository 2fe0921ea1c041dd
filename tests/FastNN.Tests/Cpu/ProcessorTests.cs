using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FastNN.Cpu;

namespace FastNN.Tests.Cpu;

/// <summary>What is said, and set, so that code compiled ahead of time does not fall to narrow vectors unnoticed.</summary>
internal sealed class ProcessorTests
{
    private const int Leaf1 = (1 << 12) | (1 << 27) | (1 << 28);
    private const int Leaf7 = (1 << 5) | (1 << 16) | (1 << 17) | (1 << 28) | (1 << 30) | (1 << 31);

    [TestCase(Leaf1, Leaf7, 2)]
    [TestCase(Leaf1, 1 << 5, 1)]
    [TestCase(Leaf1, Leaf7 & ~(1 << 31), 1, TestName = "A_set_of_AVX_512_without_VL_is_not_enough")]
    [TestCase(Leaf1 & ~(1 << 12), Leaf7, 0, TestName = "Without_FMA_it_is_narrow")]
    [TestCase(Leaf1 & ~(1 << 27), Leaf7, 0, TestName = "What_the_system_does_not_save_is_not_there")]
    [TestCase(0, 0, 0)]
    public void A_processor_is_judged_by_its_registers(int leaf1Ecx, int leaf7Ebx, int expected) =>
        Assert.That((int)Processor.SetOf(leaf1Ecx, leaf7Ebx), Is.EqualTo(expected));

    [TestCase(
        0, 1, true,
        "the processor has AVX2 and FMA, this native build uses 128-bit vectors: publish it with <IlcInstructionSet>x86-64-v3</IlcInstructionSet>")]
    [TestCase(
        0, 2, true,
        "the processor has AVX-512, this native build uses 128-bit vectors: publish it with <IlcInstructionSet>x86-64-v4</IlcInstructionSet>")]
    [TestCase(
        1, 2, true,
        "the processor has AVX-512, this native build uses AVX2 and FMA: publish it with <IlcInstructionSet>x86-64-v4</IlcInstructionSet>")]
    [TestCase(0, 1, false, "the processor has AVX2 and FMA, the .NET runtime is configured to use 128-bit vectors")]
    public void Less_than_the_processor_has_is_told(int used, int available, bool aheadOfTime, string expected) =>
        Assert.That(Processor.Compare((VectorSet)used, (VectorSet)available, aheadOfTime), Does.StartWith(expected));

    [Test]
    public void As_much_as_the_processor_has_is_not_told([Values(0, 1, 2)] int set, [Values] bool aheadOfTime) =>
        Assert.That(Processor.Compare((VectorSet)set, (VectorSet)set, aheadOfTime), Is.Null);

    [TestCase("DOTNET_EnableAVX2", "uses? 128-bit vectors")]
    [TestCase("DOTNET_EnableHWIntrinsic", "use no vector instructions")]
    public void The_tool_warns_where_the_runtime_uses_less(string setting, string expected)
    {
        if (RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64 || !Fma.IsSupported)
        {
            Assert.Ignore("this processor, or this process, has no AVX2 to do without");
        }

        string output = Run([typeof(FastNN.Cli.Program).Assembly.Location, "devices"], (setting, "0"));
        Assert.That(output, Does.Match($"(?m)^ +warning: the .*{expected}"));
        Assert.That(Run([typeof(FastNN.Cli.Program).Assembly.Location, "devices"]), Does.Not.Contain("warning: the processor"));
    }

    [TestCase("x86-64-v3", "-p:PublishAot=true", "-p:RuntimeIdentifier=linux-x64")]
    [TestCase("x86-64-v3", "-p:PublishAot=true", "-p:RuntimeIdentifier=win-x64")]
    [TestCase("", "-p:PublishAot=true", "-p:RuntimeIdentifier=linux-arm64")]
    [TestCase("", "-p:RuntimeIdentifier=linux-x64")]
    [TestCase("", "-p:PublishAot=true", "-p:RuntimeIdentifier=linux-x64", "-p:FastNNInstructionSet=false")]
    [TestCase("native", "-p:PublishAot=true", "-p:RuntimeIdentifier=linux-x64", "-p:IlcInstructionSet=native")]
    public void The_package_sets_the_instructions_of_native_builds(string expected, params string[] properties) =>
        Assert.That(
            Run(["msbuild", Targets(), "-nodeReuse:false", "-getProperty:IlcInstructionSet", .. properties]).Trim(),
            Is.EqualTo(expected));

    [Test]
    public void Without_a_runtime_identifier_the_building_machine_decides() =>
        Assert.That(
            Run(["msbuild", Targets(), "-nodeReuse:false", "-getProperty:IlcInstructionSet", "-p:PublishAot=true"]).Trim(),
            Is.EqualTo(RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.X64 ? "x86-64-v3" : ""));

    [TestCase("false", true)]
    [TestCase("true", false)]
    public void The_package_tells_the_trimmer_to_leave_CUDA_out(string value, bool isLeftOut)
    {
        string items = Run(
            ["msbuild", Targets(), "-nodeReuse:false", "-getItem:RuntimeHostConfigurationOption", $"-p:FastNNCuda={value}"]);
        Assert.That(items.Contains("\"FastNN.Cuda.IsSupported\"", StringComparison.Ordinal), Is.EqualTo(isLeftOut), items);
    }

    private static string Run(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start =
            new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")
                ?? "dotnet")
            { RedirectStandardOutput = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.That(child.ExitCode, Is.Zero, output);
        return output;
    }

    private static string Targets([CallerFilePath] string path = "") =>
        Path.GetFullPath(
            Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "..", "src", "FastNN", "buildTransitive", "FastNN.targets"));
}
