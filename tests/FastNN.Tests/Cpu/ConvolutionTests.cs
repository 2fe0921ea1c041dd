using FastNN.Cpu;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Tests.Cpu;

[TestFixture]
public sealed unsafe class ConvolutionTests
{
    private static readonly WorkerPool[] Pools = new WorkerPool[3];

    /// <summary>One for all rungs: it takes longer than they do.</summary>
    private static readonly Dictionary<string, ConvolutionReference> References = [];

    private static readonly Dictionary<string, Conv2DGeometry> ByName = Geometries().ToDictionary(c => c.Name, c => c.Geometry);

    [OneTimeSetUp]
    public void StartPools()
    {
        for (int i = 0; i < Pools.Length; i++)
        {
            Pools[i] = new WorkerPool(i + 1);
        }
    }

    [OneTimeTearDown]
    public void StopPools()
    {
        foreach (WorkerPool pool in Pools)
        {
            pool.Dispose();
        }
    }

    private static IEnumerable<TestCaseData> Cases()
    {
        foreach (string name in ByName.Keys)
        {
            foreach (string rung in SupportedRungs())
            {
                yield return new TestCaseData(name, rung);
            }
        }
    }

    private static IEnumerable<string> SupportedRungs()
    {
        if (Lanes512.IsSupported)
        {
            yield return "512";
        }
        if (Lanes256.IsSupported)
        {
            yield return "256";
        }
        if (Lanes128.IsSupported)
        {
            yield return "128";
        }
        yield return "scalar";
    }

    private static IEnumerable<(string Name, Conv2DGeometry Geometry)> Geometries()
    {
        Padding2D valid = Padding2D.Valid;
        Padding2D same = Padding2D.Same;
        yield return ("one of everything", Conv2DGeometry.Create(1, 1, 1, 1, 1, 1, 1, valid));
        yield return ("1x1", Conv2DGeometry.Create(2, 7, 5, 19, 37, 1, 1, valid));
        yield return ("1x1 stride 2", Conv2DGeometry.Create(2, 7, 6, 19, 37, 1, 1, valid, 2, 2));
        yield return ("1x1 padded", Conv2DGeometry.Create(1, 4, 3, 5, 6, 1, 1, Padding2D.Explicit(1, 2, 0, 1)));
        yield return ("mnist first", Conv2DGeometry.Create(3, 28, 28, 1, 32, 3, 3, valid));
        yield return ("mnist second", Conv2DGeometry.Create(5, 13, 13, 32, 64, 3, 3, valid));
        yield return ("lenet first", Conv2DGeometry.Create(4, 32, 32, 3, 6, 5, 5, valid));
        yield return ("lenet second", Conv2DGeometry.Create(4, 14, 14, 6, 16, 5, 5, valid));
        yield return ("same 3x3", Conv2DGeometry.Create(2, 14, 14, 33, 65, 3, 3, same));
        yield return ("same 3x3 one channel", Conv2DGeometry.Create(2, 9, 11, 1, 17, 3, 3, same));
        yield return ("same 3x3 three channels", Conv2DGeometry.Create(2, 9, 11, 3, 31, 3, 3, same));
        yield return ("same 4x2, more below and right", Conv2DGeometry.Create(2, 6, 7, 7, 13, 4, 2, same));
        yield return ("same stride 2", Conv2DGeometry.Create(2, 13, 10, 17, 33, 3, 3, same, 2, 2));
        yield return ("same stride 3x2", Conv2DGeometry.Create(1, 11, 9, 13, 7, 5, 3, same, 3, 2));
        yield return ("asymmetric padding", Conv2DGeometry.Create(2, 6, 5, 3, 17, 3, 3, Padding2D.Explicit(2, 0, 1, 3)));
        yield return ("padding beyond the kernel", Conv2DGeometry.Create(1, 4, 4, 5, 9, 2, 3, Padding2D.Symmetric(4, 5)));
        yield return ("stride over kernel", Conv2DGeometry.Create(2, 11, 12, 5, 13, 2, 2, valid, 3, 4));
        yield return ("patches", Conv2DGeometry.Create(2, 12, 12, 3, 33, 4, 4, valid, 4, 4));
        yield return ("dilation 2", Conv2DGeometry.Create(2, 12, 11, 17, 31, 3, 3, valid, 1, 1, 2, 2));
        yield return (
            "dilation 3x2 padded stride 2x3",
            Conv2DGeometry.Create(2, 13, 12, 7, 33, 3, 3, Padding2D.Symmetric(3, 2), 2, 3, 3, 2));
        yield return ("dilation 2 stride 2", Conv2DGeometry.Create(2, 13, 12, 7, 9, 3, 3, Padding2D.Symmetric(2, 2), 2, 2, 2, 2));
        yield return ("dilation 4 stride 6", Conv2DGeometry.Create(1, 23, 25, 3, 5, 3, 4, Padding2D.Symmetric(3, 1), 6, 6, 4, 4));
        yield return ("vertical dilation", Conv2DGeometry.Create(2, 12, 9, 6, 18, 3, 3, Padding2D.Symmetric(1, 1), 1, 1, 3, 1));
        yield return ("kernel as large as the image", Conv2DGeometry.Create(3, 5, 7, 4, 10, 5, 7, valid));
        yield return ("kernel larger than the image", Conv2DGeometry.Create(3, 3, 2, 4, 10, 5, 4, Padding2D.Symmetric(2, 1)));
        yield return ("groups", Conv2DGeometry.Create(2, 9, 8, 12, 30, 3, 3, same, groups: 3));
        yield return ("wide groups", Conv2DGeometry.Create(1, 6, 6, 34, 70, 3, 3, valid, groups: 2));
        yield return ("groups stride 2 dilation 2", Conv2DGeometry.Create(2, 13, 13, 8, 4, 3, 3, same, 2, 2, 2, 2, 4));
        yield return ("depthwise", Conv2DGeometry.Create(2, 9, 11, 37, 37, 3, 3, same, groups: 37));
        yield return (
            "depthwise stride 2", Conv2DGeometry.Create(2, 11, 9, 6, 6, 5, 3, Padding2D.Explicit(2, 1, 0, 1), 2, 3, groups: 6));
        yield return ("depthwise, blocks of columns", Conv2DGeometry.Create(2, 7, 23, 307, 307, 3, 3, same, groups: 307));
        yield return (
            "depthwise, padded unevenly",
            Conv2DGeometry.Create(3, 6, 5, 33, 33, 3, 3, Padding2D.Explicit(4, 1, 0, 3), groups: 33));
        yield return ("depthwise 3x3 stride 2", Conv2DGeometry.Create(2, 11, 24, 161, 161, 3, 3, same, 2, 2, groups: 161));
        yield return (
            "depthwise 3x3 stride 2, padded unevenly",
            Conv2DGeometry.Create(3, 8, 7, 17, 17, 3, 3, Padding2D.Explicit(3, 2, 1, 4), 2, 2, groups: 17));
        yield return ("depthwise, one pixel", Conv2DGeometry.Create(2, 1, 1, 3, 3, 3, 3, same, groups: 3));
        yield return ("depthwise stride 3", Conv2DGeometry.Create(2, 11, 10, 19, 19, 3, 3, same, 3, 3, groups: 19));
        yield return ("depthwise dilation 2", Conv2DGeometry.Create(2, 11, 9, 16, 16, 3, 3, same, 1, 1, 2, 2, groups: 16));
        yield return ("depthwise with multiplier", Conv2DGeometry.Create(2, 7, 7, 5, 15, 3, 3, same, groups: 5));
        yield return ("many filters", Conv2DGeometry.Create(1, 4, 5, 9, 129, 3, 3, same));
        yield return ("one filter", Conv2DGeometry.Create(2, 8, 8, 33, 1, 3, 3, same));
        yield return ("few filters, stride 2", Conv2DGeometry.Create(2, 9, 13, 5, 2, 3, 5, valid, 1, 2));
        yield return ("one filter, valid", Conv2DGeometry.Create(2, 8, 10, 7, 1, 3, 3, valid));
        yield return (
            "by Winograd's algorithm, padded unevenly",
            Conv2DGeometry.Create(6, 15, 14, 64, 80, 3, 3, Padding2D.Explicit(2, 1, 0, 2)));
        yield return ("by Winograd's algorithm, valid", Conv2DGeometry.Create(6, 18, 17, 64, 64, 3, 3, valid));
        yield return (
            "by Winograd's algorithm, a large filter over few tiles",
            Conv2DGeometry.Create(5, 7, 8, 144, 160, 3, 3, Padding2D.Explicit(1, 1, 2, 0)));
        yield return ("by Winograd's algorithm, 4x4", Conv2DGeometry.Create(15, 4, 4, 64, 208, 3, 3, same));
        yield return ("by Winograd's algorithm, few channels", Conv2DGeometry.Create(5, 13, 13, 16, 48, 3, 3, valid));
        yield return ("wide image", Conv2DGeometry.Create(1, 3, 300, 2, 5, 3, 3, same));
        yield return ("tall image", Conv2DGeometry.Create(1, 300, 3, 2, 5, 3, 3, same));
    }

    [TestCaseSource(nameof(Cases))]
    public void AllPassesAgreeWithTheDefinition(string name, string rung)
    {
        Operands operands = Operands.Random(ByName[name], name.Length);
        if (!References.TryGetValue(name, out ConvolutionReference? reference))
        {
            References[name] = reference = new(operands.Geometry, operands.X, operands.W, operands.Bias, operands.DY);
        }

        Results results = Compute(rung, Pools[0], operands, Activation.None, accumulate: false);
        // What Winograd's algorithm rounds is in proportion to the values of a whole tile, not to the terms of one sum.
        bool ByTile(ConvolutionPass pass) => Winograd<Lanes512>.Pays(operands.Geometry, pass);
        AssertClose("y", results.Y, reference.Y, ByTile(ConvolutionPass.Forward));
        AssertClose("dX", results.DX, reference.DX, ByTile(ConvolutionPass.BackwardData));
        AssertClose("dWeight", results.DW, reference.DW, ByTile(ConvolutionPass.BackwardFilter));
        AssertClose("dBias", results.DBias, reference.DBias);
    }

    [TestCaseSource(nameof(Cases))]
    public void ThreadsDoNotChangeABit(string name, string rung)
    {
        Operands operands = Operands.Random(ByName[name], name.Length);
        Results one = Compute(rung, Pools[0], operands, Activation.ReLU, accumulate: false);
        foreach (WorkerPool pool in Pools[1..])
        {
            Results many = Compute(rung, pool, operands, Activation.ReLU, accumulate: false);
            Assert.That(many.Y.AsSpan().SequenceEqual(one.Y), $"y with {pool.Threads} threads");
            Assert.That(many.DX.AsSpan().SequenceEqual(one.DX), $"dX with {pool.Threads} threads");
            Assert.That(many.DW.AsSpan().SequenceEqual(one.DW), $"dWeight with {pool.Threads} threads");
            Assert.That(many.DBias.AsSpan().SequenceEqual(one.DBias), $"dBias with {pool.Threads} threads");
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void AccumulatingAddsToWhatIsThere(string name, string rung)
    {
        Operands operands = Operands.Random(ByName[name], name.Length);
        Results written = Compute(rung, Pools[1], operands, Activation.None, accumulate: false);
        Results added = Compute(rung, Pools[1], operands, Activation.None, accumulate: true);
        AssertAdded("y", written.Y, added.Y, operands.Y0);
        AssertAdded("dX", written.DX, added.DX, operands.DX0);
        AssertAdded("dWeight", written.DW, added.DW, operands.DW0);
        AssertAdded("dBias", written.DBias, added.DBias, operands.DBias0);
    }

    [TestCaseSource(nameof(Cases))]
    public void ActivationsAreAppliedToTheSum(string name, string rung)
    {
        Operands operands = Operands.Random(ByName[name], name.Length);
        float[] plain = Compute(rung, Pools[0], operands, Activation.None, accumulate: false).Y;
        float[] relu = Compute(rung, Pools[0], operands, Activation.ReLU, accumulate: false).Y;
        float[] leaky = Compute(rung, Pools[0], operands, Activation.LeakyReLU(Operands.Slope), accumulate: false).Y;
        float[] sigmoid = Compute(rung, Pools[0], operands, Activation.Sigmoid, accumulate: false).Y;
        for (int i = 0; i < plain.Length; i++)
        {
            Assert.That(relu[i], Is.EqualTo(Math.Max(0, plain[i])));
            Assert.That(leaky[i], Is.EqualTo(plain[i] > 0 ? plain[i] : Operands.Slope * plain[i]).Within(1e-6));
            Assert.That(sigmoid[i], Is.EqualTo(1 / (1 + Math.Exp(-plain[i]))).Within(1e-6));
        }
    }

    /// <summary>What CpuOptions.AllowWinograd says of the error.</summary>
    [Test]
    public void WinogradsAlgorithmRoundsWithinItsBound()
    {
        Conv2DGeometry geometry = ByName["by Winograd's algorithm, valid"];
        Operands o = Operands.Random(geometry, 1);
        ConvolutionReference reference = new(geometry, o.X, o.W, o.Bias, o.DY);
        using GuardedBuffer x = new(o.X), w = new(o.W), y = new(geometry.OutputCount);
        using GuardedBuffer workspace = new(Convolution.WorkspaceBytes(geometry, ConvolutionPass.Forward) / sizeof(float));
        double largest = reference.Y.Value.Max(Math.Abs);
        double Error(bool allowWinograd)
        {
            using GuardedBuffer bias = new(o.Bias);
            Convolution.Forward(
                Pools[0], geometry, x.Pointer, w.Pointer, y.Pointer, new Epilogue(bias.Pointer), (byte*)workspace.Pointer,
                allowWinograd);
            double worst = 0;
            for (int i = 0; i < y.Span.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(y.Span[i] - reference.Y.Value[i]));
            }

            return worst / largest;
        }

        double direct = Error(allowWinograd: false), fast = Error(allowWinograd: true);
        TestContext.Out.WriteLine($"of the largest output: direct {direct:e1}, Winograd {fast:e1}");
        Assert.That(fast, Is.InRange(direct, 1e-5));
        Assert.That(direct, Is.LessThan(2e-6));
    }

    /// <summary>A filter that never changes is packed or transformed once, and gives the same bits.</summary>
    [TestCaseSource(nameof(Cases))]
    public void AFrozenFilterChangesNothing(string name, string rung)
    {
        Conv2DGeometry geometry = ByName[name];
        Operands o = Operands.Random(geometry, name.Length);
        using GuardedBuffer x = new(o.X), w = new(o.W), bias = new(o.Bias), y = new(geometry.OutputCount);
        using GuardedBuffer workspace = new(Convolution.WorkspaceBytes(geometry, ConvolutionPass.Forward) / sizeof(float));
        using var frozen = new FrozenValues();
        float[] Forward(FrozenValues? values)
        {
            Convolution.Forward(
                Pools[0], geometry, x.Pointer, w.Pointer, y.Pointer, new Epilogue(bias.Pointer), (byte*)workspace.Pointer,
                frozen: values);
            return y.Span.ToArray();
        }

        float[] plain = Forward(null), first = Forward(frozen), second = Forward(frozen);
        Assert.That(second, Is.EqualTo(first));

        // Panels of all rows are read in blocks of their own: the sums of a long product are added in another order.
        double largest = plain.Max(Math.Abs);
        Assert.That(first.Zip(plain, (a, b) => Math.Abs(a - b)).Max(), Is.LessThanOrEqualTo(1e-5 * largest), rung);
    }

    private static IEnumerable<TestCaseData> PooledCases()
    {
        (string Name, int Window, int Stride, bool Ceil)[] poolings =
        [
            ("2x2", 2, 2, false), ("3x3", 3, 3, false), ("2x2, ceil", 2, 2, true), ("2 of 3", 2, 3, false),
        ];
        return from name in new[]
               {
                   "mnist first", "lenet first", "lenet second", "same 3x3 one channel", "same 3x3 three channels",
                   "asymmetric padding", "dilation 2", "groups", "many filters", "wide image", "tall image",
               }
               from pooling in poolings
               from rung in SupportedRungs()
               select new TestCaseData(name, pooling.Window, pooling.Stride, pooling.Ceil, rung)
                   .SetName($"PoolingBehindAConvolutionKeepsEveryBit({name}, {pooling.Name}, {rung})");
    }

    [TestCaseSource(nameof(PooledCases))]
    public void PoolingBehindAConvolutionKeepsEveryBit(string name, int window, int stride, bool ceil, string rung)
    {
        Conv2DGeometry g = ByName[name];
        var pooling = Pool2DGeometry.Max(
            g.N, g.OH, g.OW, g.OC, Math.Min(window, g.OH), Math.Min(window, g.OW), stride, stride, Padding2D.Valid,
            ceilMode: ceil);
        switch (rung)
        {
            case "512":
                Pooled<Lanes512>(g, pooling);
                break;
            case "256":
                Pooled<Lanes256>(g, pooling);
                break;
            case "128":
                Pooled<Lanes128>(g, pooling);
                break;
            default:
                Pooled<Lanes1>(g, pooling);
                break;
        }
    }

    private static void Pooled<TLanes>(in Conv2DGeometry g, in Pool2DGeometry pooling)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        Assert.That(Convolution<TLanes>.Pools(g, pooling, allowWinograd: false));
        Operands o = Operands.Random(g, 2);
        using GuardedBuffer x = new(o.X), w = new(o.W), bias = new(o.Bias), y = new(g.OutputCount);
        using GuardedBuffer expected = new(pooling.OutputCount), workspace = Workspace<TLanes>(g, ConvolutionPass.Forward);
        var epilogue = new Epilogue(bias.Pointer, Activation.Tanh);
        byte* ws = (byte*)workspace.Pointer;
        Convolution<TLanes>.Forward(Pools[0], g, x.Pointer, w.Pointer, y.Pointer, epilogue, ws, allowWinograd: false);
        Pool2D.MaxForward(Pools[0], pooling, y.Pointer, expected.Pointer, null, relu: true);
        using var frozen = new FrozenValues();
        foreach (WorkerPool pool in Pools)
        {
            foreach (FrozenValues? values in new[] { null, frozen })
            {
                using GuardedBuffer pooled = new(pooling.OutputCount);
                Convolution<TLanes>.ForwardPooled(
                    pool, g, pooling, x.Pointer, w.Pointer, pooled.Pointer, epilogue, relu: true, ws, values);
                pooled.AssertIntact("y");
                Assert.That(pooled.Span.ToArray(), Is.EqualTo(expected.Span.ToArray()), $"{pool.Threads} threads");
            }
        }
    }

    private static IEnumerable<TestCaseData> ExpandedCases()
    {
        (int N, int H, int W, int C, int Expanded, int Stride, Padding2D Padding)[] cases =
        [
            (1, 14, 14, 16, 96, 1, Padding2D.Same), (2, 13, 17, 24, 144, 2, Padding2D.Same),
            (1, 7, 7, 160, 193, 1, Padding2D.Same), (3, 1, 5, 3, 40, 1, Padding2D.Same),
            (2, 40, 3, 5, 33, 1, Padding2D.Explicit(0, 2, 1, 0)), (1, 9, 1, 8, 2, 2, Padding2D.Same),
            (1, 64, 70, 9, 70, 2, Padding2D.Explicit(1, 1, 1, 1)), (2, 33, 90, 7, 64, 1, Padding2D.Valid),
            (5, 1, 1, 256, 65, 1, Padding2D.Same),
        ];
        return from c in cases
               from rung in SupportedRungs()
               select new TestCaseData(c.N, c.H, c.W, c.C, c.Expanded, c.Stride, c.Padding, rung).SetName(
                   $"ADepthwiseConvolutionBehindAProductKeepsEveryBit" +
                   $"([{c.N}, {c.H}, {c.W}, {c.C}] to {c.Expanded}, stride {c.Stride}, {rung})");
    }

    [TestCaseSource(nameof(ExpandedCases))]
    public void ADepthwiseConvolutionBehindAProductKeepsEveryBit(
        int n, int h, int w, int c, int expanded, int stride, Padding2D padding, string rung)
    {
        var product = Conv2DGeometry.Create(n, h, w, c, expanded, 1, 1, Padding2D.Valid);
        var depthwise = Conv2DGeometry.Create(n, h, w, expanded, expanded, 3, 3, padding, stride, stride, groups: expanded);
        switch (rung)
        {
            case "512":
                Expanded<Lanes512>(product, depthwise);
                break;
            case "256":
                Expanded<Lanes256>(product, depthwise);
                break;
            case "128":
                Expanded<Lanes128>(product, depthwise);
                break;
            default:
                Expanded<Lanes1>(product, depthwise);
                break;
        }
    }

    private static void Expanded<TLanes>(in Conv2DGeometry product, in Conv2DGeometry depthwise)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        Assert.That(Convolution<TLanes>.Expands(product, depthwise));
        Operands first = Operands.Random(product, 3), second = Operands.Random(depthwise, 4);
        using GuardedBuffer x = new(first.X), w = new(first.W), bias = new(first.Bias), between = new(product.OutputCount);
        using GuardedBuffer filter = new(second.W), filterBias = new(second.Bias), expected = new(depthwise.OutputCount);
        (Activation, Activation)[] activations =
        [
            (Activation.ReLU6, Activation.ReLU), (Activation.Tanh, Activation.LeakyReLU(0.1f)),
            (Activation.None, Activation.Tanh),
        ];
        foreach ((Activation f, Activation g) in activations)
        {
            Epilogue inner = new(bias.Pointer, f), outer = new(filterBias.Pointer, g);
            Convolution<TLanes>.Forward(Pools[0], product, x.Pointer, w.Pointer, between.Pointer, inner, null);
            Convolution<TLanes>.Forward(Pools[0], depthwise, between.Pointer, filter.Pointer, expected.Pointer, outer, null);
            using var frozen = new FrozenValues();
            foreach (WorkerPool pool in Pools)
            {
                foreach (FrozenValues? values in new[] { null, frozen })
                {
                    using GuardedBuffer y = new(depthwise.OutputCount);
                    Convolution<TLanes>.ForwardExpanded(
                        pool, product, depthwise, x.Pointer, w.Pointer, filter.Pointer, y.Pointer, inner, outer, values);
                    y.AssertIntact("y");
                    Assert.That(y.Span.ToArray(), Is.EqualTo(expected.Span.ToArray()), $"{pool.Threads} threads, {f}, {g}");
                }
            }
        }
    }

    [Test]
    public void TheDefaultRungIsTheWidest()
    {
        var geometry = Conv2DGeometry.Create(2, 9, 8, 12, 40, 3, 3, Padding2D.Same);
        Operands operands = Operands.Random(geometry, 1);
        Results widest = Compute(SupportedRungs().First(), Pools[0], operands, Activation.None, accumulate: false);
        using GuardedBuffer x = new(operands.X), w = new(operands.W), dy = new(operands.DY);
        using GuardedBuffer y = new(geometry.OutputCount), dx = new(geometry.InputCount), dw = new(geometry.FilterCount);
        using GuardedBuffer bias = new(operands.Bias), dbias = new(geometry.OC);
        long bytes = Enum.GetValues<ConvolutionPass>().Max(pass => Convolution.WorkspaceBytes(geometry, pass));
        using GuardedBuffer workspace = new(bytes / sizeof(float));
        byte* ws = (byte*)workspace.Pointer;
        Convolution.Forward(Pools[0], geometry, x.Pointer, w.Pointer, y.Pointer, new Epilogue(bias.Pointer), ws);
        Convolution.BackwardData(Pools[0], geometry, dy.Pointer, w.Pointer, dx.Pointer, Epilogue.Store, ws);
        Convolution.BackwardFilter(Pools[0], geometry, x.Pointer, dy.Pointer, dw.Pointer, dbias.Pointer, false, false, ws);
        Assert.That(y.Span.SequenceEqual(widest.Y));
        Assert.That(dx.Span.SequenceEqual(widest.DX));
        Assert.That(dw.Span.SequenceEqual(widest.DW));
        Assert.That(dbias.Span.SequenceEqual(widest.DBias));
    }

    [Test]
    public void PassesAllocateNothing()
    {
        var geometry = Conv2DGeometry.Create(2, 9, 8, 12, 40, 3, 3, Padding2D.Same);
        Operands operands = Operands.Random(geometry, 1);
        using GuardedBuffer x = new(operands.X), w = new(operands.W), dy = new(operands.DY);
        using GuardedBuffer y = new(geometry.OutputCount), dx = new(geometry.InputCount), dw = new(geometry.FilterCount);
        long bytes = Enum.GetValues<ConvolutionPass>().Max(pass => Convolution.WorkspaceBytes(geometry, pass));
        using GuardedBuffer workspace = new(bytes / sizeof(float));
        byte* ws = (byte*)workspace.Pointer;
        long before = 0;
        for (int i = 0; i < 3; i++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            Convolution.Forward(Pools[0], geometry, x.Pointer, w.Pointer, y.Pointer, default, ws);
            Convolution.BackwardData(Pools[0], geometry, dy.Pointer, w.Pointer, dx.Pointer, Epilogue.Store, ws);
            Convolution.BackwardFilter(Pools[0], geometry, x.Pointer, dy.Pointer, dw.Pointer, null, false, false, ws);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static Results Compute(string rung, WorkerPool pool, Operands operands, Activation activation, bool accumulate) =>
        rung switch
        {
            "512" => Compute<Lanes512>(pool, operands, activation, accumulate),
            "256" => Compute<Lanes256>(pool, operands, activation, accumulate),
            "128" => Compute<Lanes128>(pool, operands, activation, accumulate),
            _ => Compute<Lanes1>(pool, operands, activation, accumulate),
        };

    private static Results Compute<TLanes>(WorkerPool pool, Operands o, Activation activation, bool accumulate)
        where TLanes : struct, IVectorLanes<TLanes>
    {
        Conv2DGeometry g = o.Geometry;
        using GuardedBuffer x = new(o.X), w = new(o.W), bias = new(o.Bias), dy = new(o.DY);
        using GuardedBuffer y = accumulate ? new(o.Y0) : new(g.OutputCount), dx = accumulate ? new(o.DX0) : new(g.InputCount);
        using GuardedBuffer dw = accumulate ? new(o.DW0) : new(g.FilterCount), dbias = accumulate ? new(o.DBias0) : new(g.OC);
        using (GuardedBuffer workspace = Workspace<TLanes>(g, ConvolutionPass.Forward))
        {
            var epilogue = new Epilogue(bias.Pointer, activation, accumulate);
            Convolution<TLanes>.Forward(pool, g, x.Pointer, w.Pointer, y.Pointer, epilogue, (byte*)workspace.Pointer);
            workspace.AssertIntact("workspace of forward");
        }
        using (GuardedBuffer workspace = Workspace<TLanes>(g, ConvolutionPass.BackwardData))
        {
            Convolution<TLanes>.BackwardData(
                pool, g, dy.Pointer, w.Pointer, dx.Pointer, accumulate ? Epilogue.Add : Epilogue.Store, (byte*)workspace.Pointer);
            workspace.AssertIntact("workspace of backward-data");
        }
        using (GuardedBuffer workspace = Workspace<TLanes>(g, ConvolutionPass.BackwardFilter))
        {
            Convolution<TLanes>.BackwardFilter(
                pool, g, x.Pointer, dy.Pointer, dw.Pointer, dbias.Pointer, accumulate, accumulate, (byte*)workspace.Pointer);
            workspace.AssertIntact("workspace of backward-filter");
        }
        y.AssertIntact("y");
        dx.AssertIntact("dX");
        dw.AssertIntact("dWeight");
        dbias.AssertIntact("dBias");
        return new Results(y.Span.ToArray(), dx.Span.ToArray(), dw.Span.ToArray(), dbias.Span.ToArray());
    }

    private static GuardedBuffer Workspace<TLanes>(in Conv2DGeometry geometry, ConvolutionPass pass)
        where TLanes : struct, IVectorLanes<TLanes> =>
        new(Convolution<TLanes>.WorkspaceBytes(geometry, pass) / sizeof(float));

    private static void AssertClose(string name, float[] actual, ConvolutionReference.Sums expected, bool byTile = false)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Value.Length), name);
        double least = byTile ? Enumerable.Range(0, actual.Length).Max(i => expected.Tolerance(i)) : 0;
        for (long i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected.Value[i]);
            if (!(error <= Math.Max(least, expected.Tolerance(i))))
            {
                Assert.Fail($"{name}[{i}] is {actual[i]}, expected {expected.Value[i]} within {expected.Tolerance(i)}");
            }
        }
    }

    private static void AssertAdded(string name, float[] written, float[] added, float[] start)
    {
        for (int i = 0; i < written.Length; i++)
        {
            // The order of the additions may differ, so a few roundings of the largest term.
            double within = 1e-6 * (Math.Abs(start[i]) + Math.Abs(written[i]) + 1) * 4;
            Assert.That((double)added[i], Is.EqualTo((double)start[i] + written[i]).Within(within), $"{name}[{i}]");
        }
    }

    private sealed record Results(float[] Y, float[] DX, float[] DW, float[] DBias);

    private sealed record Operands(
        Conv2DGeometry Geometry, float[] X, float[] W, float[] Bias, float[] DY, float[] Y0, float[] DX0, float[] DW0,
        float[] DBias0)
    {
        public const float Slope = 0.125f;

        public static Operands Random(Conv2DGeometry geometry, int seed)
        {
            var random = new Random(seed);
            float[] Next(long count)
            {
                var values = new float[count];
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (random.NextSingle() * 2) - 1;
                }
                return values;
            }
            return new Operands(
                geometry, Next(geometry.InputCount), Next(geometry.FilterCount), Next(geometry.OC), Next(geometry.OutputCount),
                Next(geometry.OutputCount), Next(geometry.InputCount), Next(geometry.FilterCount), Next(geometry.OC));
        }
    }
}
