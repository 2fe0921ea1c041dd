using FastNN.Cli.Checks;

namespace FastNN.Tests.Cli;

/// <summary>What `fastnn selftest` reports; ChecksTests and FastNN.Cuda.Tests run its own cases.</summary>
internal sealed class SelfTestTests
{
    private readonly List<string> _lines = [];
    private Device _device = null!;

    [SetUp]
    public void CreateDevice()
    {
        _lines.Clear();
        _device = Device.Cpu(2);
    }

    [TearDown]
    public void DisposeDevice() => _device.Dispose();

    [Test]
    public void A_kernel_that_computes_one_element_wrong_is_named_with_case_tensor_and_element([Values] bool backward)
    {
        OpCase @case = Case(new WrongInOneElement(backward), "softsign of 17");
        Assert.That(
            Run(Family(new SelfTestCase(@case.Name, device => Result(OpChecks.Run(@case, device.Implementation))))), Is.False);
        Assert.That(_lines[0], Does.StartWith("FAIL  operator  Made up").And.EndWith("1 wrong"));
        Assert.That(
            _lines[1], Does.Match($@"^ +softsign of 17: {(backward ? "dx" : "y")}\[16\] is \S+, \S+ expected, tolerance"));
        Assert.That(_lines[^1], Does.StartWith("selftest: 1 of 1 families FAILED"));
    }

    [Test]
    public void The_same_operator_with_right_kernels_passes()
    {
        OpCase @case = Case(new ScaledSoftsign(0.75f, withKernels: false), "softsign of 17");
        Assert.That(
            Run(Family(new SelfTestCase(@case.Name, device => Result(OpChecks.Run(@case, device.Implementation))))), Is.True);
        Assert.That(_lines[0], Does.Match(@"^ok    operator  Made up +1 case +\d+\.\d\d s +\d+ % of the tolerance"));
    }

    [Test]
    public void A_number_that_PyTorch_does_not_have_fails_its_case()
    {
        GoldenCase golden = GoldenCase.Open(Path.Combine(GoldenFolder.Path, "linear_00_b4_8to6.safetensors"));
        golden.Perturb("y");
        SelfTestCase @case = SelfTestPlan.Of(golden);
        Assert.That(Run(Family(@case)), Is.False);
        Assert.That(_lines[1], Does.Match(@"linear_00_b4_8to6: y\[\d+\] is \S+, \S+ stored; tolerance"));
    }

    [Test]
    public void Of_many_faults_the_first_are_told()
    {
        Assert.That(
            Run(
                Family(
                    [.. Enumerable.Range(0, 12)
                        .Select(i => new SelfTestCase($"case {i}", _ => new SelfTestResult(2, "wrong")))])), Is.False);
        Assert.That(_lines, Has.Count.EqualTo(1 + 8 + 1 + 1));
        Assert.That(_lines[8], Does.EndWith("case 7: wrong"));
        Assert.That(_lines[9], Does.EndWith("and 4 more"));
    }

    [Test]
    public void What_cannot_run_is_skipped_with_its_reason_and_fails_nothing()
    {
        SelfTestFamily family = Family(
            new SelfTestCase("small", _ => new SelfTestResult(0.5)),
            new SelfTestCase("large", _ => throw new DeviceException("cuda: cuBLAS was not found.") { IsLack = true }),
            new SelfTestCase("larger", _ => throw new DeviceException("cuda: cuBLAS was not found.") { IsLack = true }),
            new SelfTestCase("unheard of", _ => new SelfTestResult(0, Skipped: "the engine has no such operator")));
        Assert.That(Run(family), Is.True);
        Assert.That(_lines[0], Does.StartWith("ok  ").And.Contain(" 1 case ").And.EndWith("50 % of the tolerance"));
        Assert.That(_lines[1], Is.EqualTo("      skipped large, larger: cuda: cuBLAS was not found."));
        Assert.That(_lines[2], Is.EqualTo("      skipped unheard of: the engine has no such operator"));
        Assert.That(_lines[3], Does.Contain("all 1 families are right").And.Contain("3 cases skipped"));
    }

    [Test]
    public void A_case_that_throws_is_a_fault_and_the_others_run()
    {
        Assert.That(
            Run(
                Family(
                    new SelfTestCase("first", _ => throw new ShapeException("no such shape")),
                    new SelfTestCase("second", _ => new SelfTestResult(0)))), Is.False);
        Assert.That(_lines[0], Does.StartWith("FAIL").And.Contain(" 2 cases "));
        Assert.That(_lines[1], Is.EqualTo("      first: ShapeException: no such shape"));
    }

    [Test]
    public void A_device_that_fails_ends_the_test()
    {
        Assert.That(
            Run(
                Family(new SelfTestCase("first", _ => throw new DeviceException("cuda: a kernel failed."))),
                Family(new SelfTestCase("second", _ => default))), Is.False);
        Assert.That(_lines[0], Is.EqualTo("FAIL  cuda: a kernel failed."));
        Assert.That(_lines[1], Does.StartWith("selftest: stopped"));
    }

    [Test]
    public void The_plan_has_every_operator_the_optimizers_PyTorchs_numbers_and_the_networks([Values] bool quick)
    {
        IReadOnlyList<SelfTestFamily> plan = SelfTestPlan.Create(_device, _device, quick);
        Assert.That(plan.Select(family => family.ToString()), Is.Unique);
        Assert.That(
            plan.Where(family => family.Kind == "operator").Select(family => family.Name),
            Is.EquivalentTo(OpCases.Families.Select(family => family.Name).Append("Optimizers")));
        int golden = plan.Where(family => family.Kind == "golden").Sum(family => family.Cases.Count);
        Assert.That(golden, Is.EqualTo(quick ? (GoldenFolder.Files.Length + 3) / 4 : GoldenFolder.Files.Length));
        Assert.That(
            plan.Where(family => family.Kind == "network").Sum(family => family.Cases.Count), Is.EqualTo(SelfChecks.All.Count));
        Assert.That(plan.SelectMany(family => family.Cases), Is.Not.Empty);
        Assert.That(plan.All(family => family.Cases.Count > 0), Is.True);
    }

    private static SelfTestResult Result(Closeness found) => new(found.Worst, found.Fault);

    private static SelfTestFamily Family(params SelfTestCase[] cases) => new("operator", "Made up", cases);

    private static OpCase Case(CustomOperator op, string name) => new(
        name, [OpInput.AwayFromZero("x", new Shape(17))], values => op.Apply(values[0]),
        values => Array.ConvertAll(values[0], x => 0.75 * x / (1 + Math.Abs(x))));

    private bool Run(params SelfTestFamily[] families)
    {
        var watched = new List<string>();
        bool right = new SelfTest(_device, _lines.Add, watched.Add, CancellationToken.None).Run(families);
        Assert.That(watched[0], Does.Match(@"^operator Made up: case 1 of \d+, "));
        return right;
    }

    /// <summary>Right but for the last element, where it is off by a tenth of a percent.</summary>
    private sealed class WrongInOneElement(bool backward) : CustomOperator
    {
        private readonly ScaledSoftsign _right = new(0.75f, withKernels: false);

        public override string Name => "WrongInOneElement";

        public override TensorType[] Infer(ReadOnlySpan<TensorType> inputs) => _right.Infer(inputs);

        public override bool BackwardReadsOutput(int output) => false;

        public override void Forward(ForwardPass pass)
        {
            _right.Forward(pass);
            pass.Output()[^1] *= backward ? 1 : 1.001f;
        }

        public override void Backward(BackwardPass pass)
        {
            _right.Backward(pass);
            pass.InputGradient(0)[^1] *= backward ? 1.001f : 1;
        }
    }
}
