using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>cuDNN's wrapper, on the software library, against convolution by definition.</summary>
internal sealed class CudnnTests : CudaFixture
{
    private static readonly Conv2DGeometry Small = Geometry(2, 5, 5, 3, 4, 3, 3, 1);

    private static readonly string[] Opening =
    [
        "cudnnCreate", "cudnnSetStream", "cudnnCreateTensorDescriptor", "cudnnSetTensor4dDescriptor",
        "cudnnCreateFilterDescriptor",
        "cudnnSetFilter4dDescriptor", "cudnnCreateConvolutionDescriptor", "cudnnSetConvolution2dDescriptor",
        "cudnnSetConvolutionGroupCount",
        "cudnnSetConvolutionMathType", "cudnnGetConvolutionForwardAlgorithm_v7",
    ];

    private static IEnumerable<TestCaseData<Conv2DGeometry>> Geometries =>
    [
        new(Geometry(1, 1, 1, 1, 1, 1, 1, 0)) { TestName = "{m}(one number)" },
        new(Small) { TestName = "{m}(3x3)" },
        new(Geometry(2, 7, 9, 3, 5, 1, 1, 0)) { TestName = "{m}(1x1)" },
        new(Geometry(1, 9, 7, 2, 3, 5, 3, 2)) { TestName = "{m}(5x3)" },
        new(Geometry(2, 8, 7, 3, 4, 3, 3, 1, stride: 2)) { TestName = "{m}(stride 2)" },
        new(Geometry(1, 11, 9, 2, 3, 3, 3, 2, dilation: 2)) { TestName = "{m}(dilation 2)" },
        new(Geometry(2, 6, 6, 4, 6, 3, 3, 1, groups: 2)) { TestName = "{m}(2 groups)" },
        new(Geometry(1, 6, 5, 4, 4, 3, 3, 1, groups: 4)) { TestName = "{m}(depthwise)" },
        new(Geometry(1, 10, 9, 6, 4, 3, 2, 1, stride: 2, dilation: 2, groups: 2)) { TestName = "{m}(all at once)" },
    ];

    [TestCaseSource(nameof(Geometries))]
    public void Passes_match_their_definition(Conv2DGeometry g)
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        var random = new Random(1);
        float[] x = Numbers(random, g.InputCount), filter = Numbers(random, g.FilterCount);
        float[] dY = Numbers(random, g.OutputCount), dX = Numbers(random, g.InputCount);
        (nint xAt, nint filterAt, nint dYAt) = (memory.Put(x), memory.Put(Outer(g, filter)), memory.Put(dY));

        double[] expected = new double[g.OutputCount];
        Conv2DReference.Forward(g, Wide(x), Wide(filter), [], expected);
        nint y = memory.Put(NotNumbers(g.OutputCount));
        device.Cudnn.Forward(g, xAt, filterAt, y, 0, Workspace(device, memory, g, ConvolutionPass.Forward));
        Near.Check("y", memory.Get(y, (int)g.OutputCount), expected, 1e-5);

        expected = new double[g.InputCount];
        Conv2DReference.BackwardData(g, Wide(dY), Wide(filter), expected);
        nint data = memory.Put(NotNumbers(g.InputCount)), sum = memory.Put(dX),
        scratch = Workspace(device, memory, g, ConvolutionPass.BackwardData);
        device.Cudnn.BackwardData(g, dYAt, filterAt, data, 0, scratch);
        Near.Check("dX", memory.Get(data, dX.Length), expected, 1e-5);
        device.Cudnn.BackwardData(g, dYAt, filterAt, sum, 1, scratch);
        Near.Check("dX +=", memory.Get(sum, dX.Length), [.. expected.Select((value, i) => value + dX[i])], 1e-5);

        expected = new double[g.FilterCount];
        Conv2DReference.BackwardFilter(g, Wide(x), Wide(dY), expected, []);
        nint dFilter = memory.Put(NotNumbers(g.FilterCount));
        device.Cudnn.BackwardFilter(g, xAt, dYAt, dFilter, 0, Workspace(device, memory, g, ConvolutionPass.BackwardFilter));
        Near.Check("dFilter", Inner(g, memory.Get(dFilter, filter.Length)), expected, 1e-5);
    }

    [Test]
    public void Only_equal_padding_is_supported()
    {
        using CudaDevice device = Open();
        Conv2DGeometry uneven = Conv2DGeometry.Create(1, 4, 4, 1, 1, 2, 2, Padding2D.Same);
        foreach (ConvolutionPass pass in Enum.GetValues<ConvolutionPass>())
        {
            Assert.That(device.Cudnn.Supports(uneven, pass), Is.False);
            Assert.That(device.Cudnn.Supports(Small, pass), Is.True);
        }

        Assert.That(
            () => device.Cudnn.WorkspaceBytes(uneven, ConvolutionPass.Forward),
            Throws.TypeOf<DeviceException>().With.Message.Contains("no Forward"));
    }

    [Test]
    public void It_is_not_even_opened_where_it_is_not_wanted()
    {
        TestGpu.Software.ResetCounters();
        using CudaDevice device = Open(new CudaOptions { UseCudnn = false });
        Assert.That(device.Cudnn.Available, Is.False);
        Assert.That(device.Cudnn.Supports(Small, ConvolutionPass.Forward), Is.False);
        Assert.That(
            TestGpu.Software.Counts().Calls.Keys.Where(call => call.StartsWith("cudnn", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void A_steady_convolution_makes_one_call_and_allocates_nothing()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        Action convolve = Convolution(device, memory);
        convolve();
        TestGpu.Software.ResetCounters();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
        {
            convolve();
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(
            TestGpu.Software.Counts().Calls.Where(call => call.Key.StartsWith("cudnn", StringComparison.Ordinal)),
            Is.EqualTo(new[] { KeyValuePair.Create("cudnnConvolutionForward", 10L) }));
    }

    [Test]
    public void A_captured_convolution_counts_as_one_kernel()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        Action convolve = Convolution(device, memory);
        using ILaunchGraph graph = device.Capture(convolve)!;
        Assert.That(graph.Kernels, Is.EqualTo(1));
        graph.Launch();
        Conv2DGeometry unseen = Geometry(1, 3, 3, 1, 1, 3, 3, 1);
        Assert.That(
            () => device.Capture(() => device.Cudnn.Supports(unseen, ConvolutionPass.Forward)),
            Throws.TypeOf<DeviceException>().With.Message.Contains("must have run before"));
        convolve();
    }

    [Test]
    public void A_failed_convolution_names_call_code_and_sizes()
    {
        using CudaDevice device = Open();
        using var memory = new DeviceNumbers(device);
        Action convolve = Convolution(device, memory);
        Fail("cudnnConvolutionForward:1:5000");
        Assert.That(
            () => convolve(),
            Throws.TypeOf<DeviceException>().With.Message.Contains(
                "cudnnConvolutionForward failed with CUDNN_STATUS_EXECUTION_FAILED (5000)")
                .And.Message.Contains("x [2,5,5,3]"));
        convolve();
    }

    [Test]
    public void Opening_that_fails_is_named_and_can_be_tried_again([ValueSource(nameof(Opening))] string call)
    {
        using CudaDevice device = Open();
        Fail($"{call}:1:4000");
        Assert.That(
            () => device.Cudnn.Supports(Small, ConvolutionPass.Forward),
            Throws.TypeOf<DeviceException>().With.Message.Contains($"{call} failed with").And.Message.Contains("(4000)"));
        Assert.That(device.Cudnn.Supports(Small, ConvolutionPass.Forward), Is.True);
    }

    [Test]
    public void What_the_heuristics_call_unsupported_is_left_to_other_kernels()
    {
        using CudaDevice device = Open();
        Fail("cudnnGetConvolutionForwardAlgorithm_v7:1:3001");
        Assert.That(device.Cudnn.Supports(Small, ConvolutionPass.Forward), Is.False);
        Assert.That(device.Cudnn.Supports(Small, ConvolutionPass.BackwardData), Is.True);
    }

    [Test]
    public void A_workspace_that_cannot_be_asked_for_is_named_instead_of_other_kernels_taking_over([Values] ConvolutionPass pass)
    {
        using CudaDevice device = Open();
        string call = $"cudnnGetConvolution{pass}WorkspaceSize";
        Fail($"{call}:1:4000");
        Assert.That(
            () => device.Cudnn.Supports(Small, pass),
            Throws.TypeOf<DeviceException>().With.Message.Contains($"{call} failed with").And.Message.Contains(
                "(4000)").And.Message.Contains("UseCudnn"));
        Assert.That(device.Cudnn.Supports(Small, pass), Is.True, "nothing was settled by the failure");
    }

    [Test]
    public void An_algorithm_without_support_for_a_workspace_is_passed_over([Values] ConvolutionPass pass)
    {
        using CudaDevice device = Open();
        Fail($"cudnnGetConvolution{pass}WorkspaceSize:1:3001");
        Assert.That(() => device.Cudnn.Supports(Small, pass), Throws.Nothing);
    }

    [Test]
    public void All_that_is_created_is_destroyed()
    {
        TestGpu.Software.ResetCounters();
        using (CudaDevice device = Open())
        {
            foreach (ConvolutionPass pass in Enum.GetValues<ConvolutionPass>())
            {
                Assert.That(device.Cudnn.Supports(Small, pass), Is.True);
            }
        }

        IReadOnlyDictionary<string, long> calls = TestGpu.Software.Counts().Calls;
        foreach ((string create, long count) in calls.Where(call => call.Key.StartsWith("cudnnCreate", StringComparison.Ordinal)))
        {
            Assert.That(
                calls.GetValueOrDefault(create.Replace("Create", "Destroy", StringComparison.Ordinal)), Is.EqualTo(count),
                create);
        }
    }

    private static Action Convolution(CudaDevice device, DeviceNumbers memory)
    {
        nint x = memory.Put(new float[Small.InputCount]), filter = memory.Put(new float[Small.FilterCount]),
        y = memory.Put(new float[Small.OutputCount]);
        nint workspace = Workspace(device, memory, Small, ConvolutionPass.Forward);
        return () => device.Cudnn.Forward(Small, x, filter, y, 0, workspace);
    }

    private static nint Workspace(CudaDevice device, DeviceNumbers memory, in Conv2DGeometry geometry, ConvolutionPass pass) =>
        memory.Take(device.Cudnn.WorkspaceBytes(geometry, pass));

    private static Conv2DGeometry Geometry(
        int n, int h, int w, int c, int oc, int kh, int kw, int padding, int stride = 1, int dilation = 1, int groups = 1) =>
        Conv2DGeometry.Create(
            n, h, w, c, oc, kh, kw, Padding2D.Symmetric(padding, padding), stride, stride, dilation, dilation, groups);

    /// <summary>A filter [KH, KW, C / groups, OC] as cuDNN takes it, [OC, KH, KW, C / groups].</summary>
    private static float[] Outer(in Conv2DGeometry g, float[] filter) => Transpose(filter, (int)(g.FilterCount / g.OC), g.OC);

    private static float[] Inner(in Conv2DGeometry g, float[] filter) => Transpose(filter, g.OC, (int)(g.FilterCount / g.OC));

    private static float[] Transpose(float[] matrix, int rows, int columns) =>
        [
            .. from column in Enumerable.Range(0, columns) from row in Enumerable.Range(0, rows) select matrix[
                (row * columns) + column]];

    private static float[] Numbers(Random random, long count) =>
        [.. Enumerable.Range(0, (int)count).Select(_ => (random.NextSingle() * 2) - 1)];

    private static float[] NotNumbers(long count) => [.. Enumerable.Repeat(float.NaN, (int)count)];

    private static double[] Wide(float[] values) => [.. values.Select(value => (double)value)];

    private static void Fail(string failures) => Assert.That(TestGpu.Software.Set("SOFTCUDA_FAIL", failures), Is.True, failures);
}
