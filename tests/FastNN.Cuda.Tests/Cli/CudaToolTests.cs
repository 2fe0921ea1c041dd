using System.Text.Json;
using System.Text.RegularExpressions;
using FastNN.Cli.Checks;

namespace FastNN.Cuda.Tests;

/// <summary>The tool on the software CUDA device.</summary>
internal sealed class CudaToolTests : CliFixture
{
    private const string Recipe = "breast-cancer-mlp";

    [OneTimeSetUp]
    public void FindDevice() => _ = TestGpu.Require();

    [TearDown]
    public void NoFindings() => TestGpu.RequireNothingAlive();

    [Test]
    public void Devices_lists_the_processor_and_the_gpu_with_its_libraries()
    {
        CliResult result = Run("devices");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(
            result.Output,
            Does.Match("cpu +CPU, .+ threads?").And.Match(
                $"cuda +0: {Regex.Escape(TestGpu.Require().Name)}.*compute capability"));
        Assert.That(result.Output, Does.Contain("kernels  PTX 7.0 for sm_80").And.Match(@"cuBLAS +\d+").And.Match(@"TF32 +off"));
        Assert.That(result.Output.Contains("for tests", StringComparison.Ordinal), Is.EqualTo(TestGpu.IsSoftware));
    }

    [Test]
    public void Training_on_the_gpu_loses_what_it_loses_on_the_processor()
    {
        JsonElement gpu = Train("cuda"), cpu = Train("cpu");
        Assert.That(gpu.GetProperty("device").GetString(), Is.EqualTo("cuda"));
        double[] expected = Losses(cpu), losses = Losses(gpu);
        Assert.That(losses, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < losses.Length; i++)
        {
            Assert.That(losses[i], Is.EqualTo(expected[i]).Within(1e-4 * expected[i]), $"step {i}");
        }

        Assert.That(Accuracy(gpu), Is.EqualTo(Accuracy(cpu)).Within(0.01));
    }

    [Test]
    public void Best_is_the_gpu_where_there_is_one()
    {
        CliResult result = Run("train", Recipe, "--device", "best", "--epochs", "1");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain(TestGpu.Require().Name).And.Not.Contain("because no GPU is usable"));
    }

    [Test]
    public void Weights_trained_on_the_gpu_are_evaluated_on_both()
    {
        Assert.That(Run("train", Recipe, "--device", "cuda", "--epochs", "2", "--out", At("run")).Code, Is.Zero);
        string weights = Path.Combine(At("run"), "weights.safetensors");
        CliResult gpu = Run("evaluate", Recipe, "--weights", weights, "--device", "cuda"),
        cpu = Run("evaluate", Recipe, "--weights", weights);
        Assert.That(
            gpu.Output[gpu.Output.IndexOf("test loss", StringComparison.Ordinal)..],
            Is.EqualTo(cpu.Output[cpu.Output.IndexOf("test loss", StringComparison.Ordinal)..]));
    }

    [Test]
    public void A_resumed_run_on_the_gpu_ends_in_the_same_bits()
    {
        Assert.That(Run("train", Recipe, "--device", "cuda", "--epochs", "3", "--out", At("whole")).Code, Is.Zero);
        CliResult interrupted = RunUntil("epoch  1", "train", Recipe, "--device", "cuda", "--epochs", "3", "--out", At("parts"));
        Assert.That(interrupted.Code, Is.EqualTo(130), interrupted.Error);
        CliResult resumed = Run("train", Recipe, "--device", "cuda", "--epochs", "3", "--out", At("parts"), "--resume");
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
        Assert.That(Weights("parts"), Is.EqualTo(Weights("whole")));
    }

    [Test]
    public void Profile_counts_one_captured_step()
    {
        _ = TestGpu.Software;
        CliResult result = Run("profile", Recipe, "--device", "cuda", "--json", At("profile.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(
            result.Output,
            Does.Contain("1 graph launch").And.Contain("0 allocations").And.Contain("on paper").And.Contain(
                "A100 us").And.Contain("H100 us"));
        using var json = JsonDocument.Parse(File.ReadAllText(At("profile.json")));
        JsonElement[] kernels = [.. json.RootElement.GetProperty("kernels").EnumerateArray()];
        Assert.That(kernels.Select(kernel => kernel.GetProperty("name").GetString()), Has.Some.Contains("adam"));
        Assert.That(kernels.Select(kernel => kernel.GetProperty("idealBytes").GetDouble()), Is.All.Positive);
        Assert.That(
            kernels.Sum(kernel => kernel.GetProperty("launches").GetInt64()),
            Is.EqualTo(json.RootElement.GetProperty("launches").GetInt64()));
    }

    [Test]
    public void Doctor_tells_of_the_gpu_its_memory_its_libraries_and_where_they_lie()
    {
        CliResult result = Run("doctor");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(result.Output, Does.Contain(TestGpu.Require().Name).And.Match(@"memory +\d+\.\d GiB of \d+\.\d GiB free")
            .And.Match(@"PTX JIT +\d+ families compiled").And.Match(@"TF32 +off").And.Match(
                @"libcuda\.so\.1.*: loaded").And.Contain("next        fastnn selftest --device cuda"));
    }

    [Test]
    public void Selftest_finds_the_gpu_right_with_a_line_for_each_family()
    {
        CliResult result = Run("selftest", "--device", "cuda", "--quick");
        Assert.That(result.Code, Is.Zero, result.Output + result.Error);
        int families = result.Output.Split('\n').Count(line => line.StartsWith("ok  ", StringComparison.Ordinal));
        Assert.That(result.Output, Does.Contain($"all {families} families are right on {TestGpu.Require().Name}"));
        Assert.That(
            result.Output,
            Does.Contain("ok    operator  Conv2D").And.Contain("ok    golden    losses").And.Contain(
                "ok    network   conv2d").And.Contain("ok    training"));
    }

    [Test]
    public void Selftest_finds_a_kernel_of_the_gpu_wrong_that_is_right_on_the_processor()
    {
        OpCase @case = new(
            "softsign of 129", [OpInput.AwayFromZero("x", new Shape(129))], values => new WrongOnGpu().Apply(values[0]),
            values => Array.ConvertAll(values[0], x => 0.75 * x / (1 + Math.Abs(x))));
        SelfTestCase test = new(@case.Name, device =>
        {
            Closeness found = OpChecks.Run(@case, device.Implementation);
            return new SelfTestResult(found.Worst, found.Fault);
        });
        using Device cpu = Device.Cpu(1), gpu = TestGpu.Open();
        Assert.That(Check(cpu, out _), Is.True);
        Assert.That(Check(gpu, out string report), Is.False);
        Assert.That(report, Does.Contain("FAIL  operator  Made up").And.Match(@"softsign of 129: y\[0\] is \S+, \S+ expected"));

        bool Check(Device device, out string report)
        {
            var lines = new List<string>();
            bool right = new SelfTest(device, lines.Add, _ => { }, CancellationToken.None).Run(
                [new SelfTestFamily("operator", "Made up", [test])]);
            report = string.Join('\n', lines);
            return right;
        }
    }

    [Test]
    public void Selftest_says_where_a_gpu_fails_and_ends_with_1()
    {
        Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", "cuLaunchKernel:400:719"), Is.True);
        CliResult result = Run("selftest", "--device", "cuda", "--quick");
        TestGpu.StartAnew();
        Assert.That(result.Code, Is.EqualTo(1), result.Output);
        Assert.That(
            result.Output,
            Does.Contain("FAIL  cuda: cuLaunchKernel failed with ErrorLaunchFailed (719)").And.Contain("selftest: stopped"));
    }

    private static double[] Losses(JsonElement run) =>
        [.. run.GetProperty("losses").EnumerateArray().Select(loss => loss.GetDouble())];

    private static double Accuracy(JsonElement run) => run.GetProperty("metrics").GetProperty("testAccuracy").GetDouble();

    private byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(At(run), "weights.safetensors"));

    private JsonElement Train(string device)
    {
        CliResult result = Run("train", Recipe, "--device", device, "--epochs", "2", "--json", At(device + ".json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        using var json = JsonDocument.Parse(File.ReadAllText(At(device + ".json")));
        return json.RootElement.Clone();
    }

    /// <summary>Softsign, whose kernels for GPUs are those of another scale.</summary>
    private sealed class WrongOnGpu : CustomOperator
    {
        private readonly ScaledSoftsign _right = new(0.75f, withKernels: false);

        public override string Name => "WrongOnGpu";

        public override CustomCudaKernels? CudaKernels { get; } = new ScaledSoftsign(0.7501f, withKernels: true).CudaKernels;

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => _right.Infer(inputs);

        public override bool BackwardReadsOutput(int output) => false;

        public override void Forward(ForwardPass pass) => _right.Forward(pass);

        public override void Backward(BackwardPass pass) => _right.Backward(pass);
    }
}
