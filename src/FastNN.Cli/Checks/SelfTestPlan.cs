using FastNN.Cuda;
using FastNN.Testing;

namespace FastNN.Cli.Checks;

/// <summary>What selftest runs: the cases that the test suite holds the engine to, and networks.</summary>
internal static class SelfTestPlan
{
    /// <summary>--quick: every case of this number.</summary>
    public const int QuickNth = 4;

    /// <summary>
    /// Everything, in the order of the report: what is simplest first, so that the first failure is the one to look at.
    /// </summary>
    /// <param name="device">Where it will run.</param>
    /// <param name="one">One thread of the CPU, which networks are compared with.</param>
    /// <param name="quick">A quarter of the operators' cases and of PyTorch's.</param>
    public static IReadOnlyList<SelfTestFamily> Create(Device device, Device one, bool quick)
    {
        int nth = quick ? QuickNth : 1;
        List<SelfTestFamily> families = [.. OpCases.Families.Select(family => Of(family, nth))];
        if (device.Kind == "cuda" && CudaLibraries.TryLoad(CudaLibraries.Cudnn, out nint _, out string _))
        {
            OpFamily convolutions = OpCases.Families.Single(family => family.Declaration == typeof(Conv2DCases));
            families.Add(Of(convolutions, nth) with
            {
                Name = "Conv2D, own",
                Open = () => Device.Cuda(0, new CudaOptions { UseCudnn = false }),
            });
        }

        families.Add(new SelfTestFamily("operator", "Optimizers", [.. OpCases.Sample(OptimizerCase.All, nth).Select(Of)]));
        families.AddRange(Golden(nth));
        families.AddRange(NetworkChecks.Families(one));
        return families;
    }

    /// <summary>A case of PyTorch's numbers.</summary>
    internal static SelfTestCase Of(GoldenCase golden) => new(golden.Name, device => Run(golden, device));

    private static SelfTestFamily Of(OpFamily family, int nth) =>
        new("operator", family.Name, [.. OpCases.Sample(family.Declare(), nth).Select(Of)]);

    private static SelfTestCase Of(OpCase @case) => new(@case.Name, device => Of(OpChecks.Run(@case, device.Implementation)));

    private static SelfTestCase Of(OptimizerCase @case) =>
        new(@case.Name, device => Of(OptimizerChecks.Run(@case, device.Implementation)));

    private static SelfTestResult Of(Closeness found) => new(found.Worst, found.Fault);

    /// <summary>PyTorch's numbers, by the kind of operator.</summary>
    private static IEnumerable<SelfTestFamily> Golden(int nth)
    {
        string[] files = GoldenFolder.Files;
        if (files.Length == 0)
        {
            SelfTestResult missing = new(
                0, Skipped: $"there is no *.safetensors in {GoldenFolder.Path}; {GoldenFolder.Variable} names another folder");
            return [new SelfTestFamily("golden", "all", [new SelfTestCase("PyTorch's numbers", _ => missing)])];
        }

        return
            from file in OpCases.Sample(files, nth)
            let golden = GoldenCase.Open(file)
            group Of(golden) by GoldenRunner.FamilyOf(golden.Op) into family
            select new SelfTestFamily("golden", family.Key, [.. family]);
    }

    private static SelfTestResult Run(GoldenCase golden, Device device)
    {
        try
        {
            GoldenRunner.Run(golden, device);
            return new SelfTestResult(golden.Worst);
        }
        catch (GoldenMismatchException exception)
        {
            // The case is named by the report.
            string prefix = golden.Name + ": ";
            string fault = exception.Message;
            return new SelfTestResult(
                double.PositiveInfinity, fault.StartsWith(prefix, StringComparison.Ordinal) ? fault[prefix.Length..] : fault);
        }
        catch (UnsupportedCaseException exception)
        {
            return new SelfTestResult(0, Skipped: $"the engine has no {golden.Op} as this case wants it: {exception.Message}");
        }
    }
}
