using System.Text;
using System.Text.RegularExpressions;
using FastNN.Cli;
using static FastNN.Cuda.Tests.TrafficCases;

namespace FastNN.Cuda.Tests;

/// <summary>
/// What kernels move, counted by the software device: every kernel outside matrix products and convolutions asks for at most 1.10
/// times the distinct 32-byte sectors that it touches, and no shared memory access outside our own convolutions waits for
/// another, with cuDNN and without. The counts are exact, so this is a regression test of GPU efficiency without a GPU. They hold
/// for the PTX that ships, which is clang's: FASTNN_CUDA_COMPILER=nvcc dotnet build and this test tell of nvcc's.
/// </summary>
internal sealed class TrafficTests : DeviceFixture
{
    private const double Most = 1.10;

    /// <summary>
    /// Products, whose tiles read operands again by design, and the transposition of a filter, whose odd rows begin within
    /// sectors; docs/gpu.md has their numbers.
    /// </summary>
    private static readonly string[] Products =
    [
        "matmul", "dense_forward", "dense_backward", "conv2d_forward", "conv2d_backward", "conv2d_transpose_filter",
    ];

    /// <summary>
    /// Our own tiles of convolutions, which compute where cuDNN does not, are not free of bank conflicts: what they have per
    /// request at most in the six networks. No other kernel may have one.
    /// </summary>
    private static readonly Dictionary<string, double> MostConflicts = new()
    {
        ["conv2d_forward_wide"] = 0.081,
        ["conv2d_forward_small"] = 0.090,
        ["conv2d_backward_data_narrow"] = 0.094,
        ["conv2d_backward_data_small"] = 0.063,
        ["conv2d_backward_filter_wide"] = 0.246,
        ["conv2d_backward_filter_small"] = 0.619,
        // Products of dY with y, four neighbors to a thread.
        ["scaleddotproduct_backward"] = 0.0034,
        // Tiles of one and two bytes, several of which share a bank's word.
        ["rearrange_tiles_1"] = 0.375,
        ["rearrange_tiles_2"] = 0.25,
    };

    /// <summary>
    /// A bias that is read again for each few rows of a small matrix: 12 KB in all. Behind cuDNN the same kernel finishes large
    /// convolutions too, and stays within 1.10.
    /// </summary>
    private static readonly Dictionary<string, double> MostMoved = new()
    {
        ["dense_bias_activation"] = 1.36,
    };

    private static IEnumerable<TrafficCase> Large => new (string Name, OpInput[] Inputs, Func<Value[], Value> Build)[]
    {
        ("relu", [X(1 << 20)], x => x[0].ReLU()),
        ("gelu", [X((1 << 20) + 4)], x => x[0].Gelu()),
        ("add", [X(1024, 1024), X(1024, 1024)], x => x[0] + x[1]),
        ("multiply by a row", [X(4096, 256), X(256)], x => x[0] * x[1]),
        ("add a column", [X(2048, 512), X(2048, 1)], x => x[0] + x[1]),
        ("subtract a column", [X(2048, 512), X(2048, 1)], x => x[0] - x[1]),
        ("a row less a matrix", [X(256), X(4096, 256)], x => x[0] - x[1]),
        ("divide", [X(1024, 1024), Above(1024, 1024)], x => x[0] / x[1]),
        ("a number over", [Above(1 << 20)], x => 1f / x[0]),
        ("power", [Above(1 << 20)], x => x[0].Pow(3)),
        ("maximum", [X(1024, 1024), X(1024, 1024)], x => x[0].Maximum(x[1])),
        ("choose by a comparison", [X(1 << 20), X(1 << 20)], x => ShapeOperators.Where(x[0] > x[1], x[0], x[1])),
        ("softmax of 10", [X(8192, 10)], x => x[0].Softmax()),
        ("softmax of 1000", [X(1024, 1000)], x => x[0].Softmax()),
        ("log-softmax of columns", [X(32, 64, 256)], x => x[0].LogSoftmax(1)),
        ("layer normalization of 256", [X(1024, 256), X(256), X(256)], x => x[0].LayerNorm(x[1], x[2])),
        ("layer normalization of 1024", [X(512, 1024), X(1024), X(1024)], x => x[0].LayerNorm(x[1], x[2])),
        ("RMS normalization of 4096", [X(128, 4096), X(4096)], x => x[0].RMSNorm(x[1])),
        (
            "batch normalization", [X(4, 28, 28, 128), X(128).Constant(), X(128).Constant(), X(128), X(128)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4])),
        (
            "batch normalization of 16", [X(16, 32, 32, 16), X(16).Constant(), X(16).Constant(), X(16), X(16)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4])),
        (
            "batch normalization, a residual and ReLU",
            [X(4, 28, 28, 128), X(128).Constant(), X(128).Constant(), X(128), X(128), X(4, 28, 28, 128)],
            x => (x[0].BatchNorm(x[1], x[2], x[3], x[4]) + x[5]).ReLU() * 2),
        (
            "batch normalization of few rows, a residual and ReLU",
            [X(8, 14, 14, 128), X(128).Constant(), X(128).Constant(), X(128), X(128), X(8, 14, 14, 128)],
            x => (x[0].BatchNorm(x[1], x[2], x[3], x[4]) + x[5]).ReLU() * 2),
        (
            "batch normalization of 128 rows and ReLU",
            [X(128, 1024), X(1024).Constant(), X(1024).Constant(), X(1024), X(1024)],
            x => x[0].BatchNorm(x[1], x[2], x[3], x[4]).ReLU() * 2),
        ("group normalization", [X(4, 32, 32, 64), X(64), X(64)], x => x[0].GroupNorm(8, x[1], x[2])),
        ("instance normalization", [X(4, 32, 32, 64), X(64), X(64)], x => x[0].InstanceNorm(x[1], x[2])),
        ("max pooling", [X(8, 56, 56, 64)], x => x[0].MaxPool2D((2, 2))),
        ("average pooling", [X(8, 56, 56, 64)], x => x[0].AvgPool2D((2, 2))),
        ("global pooling", [X(8, 28, 28, 128)], x => x[0].GlobalAvgPool2D()),
        ("unfold into patches", [X(8, 56, 56, 32)], x => x[0].Unfold(2, stride: 2)),
        ("fold of patches", [X(8, 28 * 28, 4 * 32)], x => x[0].Fold(56, 2, stride: 2)),
        ("largest of an image", [X(8, 28, 28, 128)], x => x[0].GlobalMaxPool2D()),
        ("mean of a volume", [X(4, 8, 14, 14, 64)], x => x[0].GlobalAvgPool3D()),
        ("max pooling of sequences", [X(8, 2048, 64)], x => x[0].MaxPool1D(2)),
        ("bins that tile", [X(8, 28, 28, 64)], x => x[0].AdaptiveAvgPool2D(7)),
        ("largest of bins that tile", [X(8, 28, 28, 64)], x => x[0].AdaptiveMaxPool2D(7)),
        ("dropout", [X(1 << 20)], x => x[0].Dropout(0.5f)),
        ("transpose", [X(512, 256)], x => x[0].Transpose()),
        ("channels first", [X(2, 128, 128, 3)], x => x[0].Permute(0, 3, 1, 2)),
        ("channels last", [X(2, 3, 128, 128)], x => x[0].Permute(0, 2, 3, 1)),
        ("heads", [X(4, 128, 8, 64)], x => x[0].Permute(0, 2, 1, 3)),
        ("slice of columns", [X(512, 256)], x => x[0].Slice(1, 64, 192)),
        ("sum of all", [X(1 << 20)], x => x[0].Sum()),
        ("mean of rows", [X(1024, 512)], x => x[0].Mean([1])),
        ("largest of columns", [X(2048, 256)], x => x[0].Max([0])),
        ("variance of short rows", [X(8192, 24)], x => x[0].Variance([1])),
        ("sum of the middle", [X(16, 256, 64)], x => x[0].Sum([1])),
        (
            "where", [OpInput.Bits("c", new Shape(512, 256)), X(512, 256), X(512, 256)],
            x => ShapeOperators.Where(x[0], x[1], x[2])),
        ("cast", [X(1 << 20)], x => x[0].Cast(DType.Float16).Cast(DType.Float32)),
        ("mean of Huber losses", [X(1 << 20), X(1 << 20)], x => new HuberLoss().Apply(x[0], x[1])),
        (
            "divergences", [X(512, 256), X(512, 256).Constant()],
            x => new KLDivergenceLoss { LogTargets = true, Reduction = Reduction.None }.Apply(x[0], x[1])),
        ("cumulative sums of rows", [X(512, 1000)], x => x[0].CumSum()),
        ("cumulative sums of short rows", [X(4096, 40)], x => x[0].CumSum(exclusive: true, reverse: true)),
        ("cumulative sums of long rows", [X(64, 12_000)], x => x[0].CumSum(reverse: true)),
        ("cumulative sums of columns", [X(256, 2048)], x => x[0].CumSum(0)),
        ("cumulative products", [X(512, 1024)], x => x[0].CumProd()),
        ("sorted rows", [X(256, 1000)], x => x[0].Sort().Values),
        ("sorted short rows", [X(4096, 24)], x => x[0].Sort(descending: true).Values),
        ("gate", [X(1024, 1024), X(1024, 1024)], x => x[0].SiLUGate(x[1])),
        ("concat", [X(512, 256), X(512, 128)], x => Operators.Concat(1, x[0], x[1])),
        ("expand rows", [X(1, 1024)], x => x[0].Expand(512, 1024)),
        ("expand columns", [X(1024, 1)], x => x[0].Expand(1024, 512)),
        ("tile", [X(256, 256)], x => x[0].Tile(2, 3)),
        ("flip of rows", [X(512, 256)], x => x[0].Flip(0)),
        ("flip of columns", [X(512, 256)], x => x[0].Flip(1)),
        ("roll of images", [X(4, 32, 32, 64)], x => x[0].Roll([3, -3], [1, 2])),
        ("lower triangle", [X(8, 256, 256)], x => x[0].Tril()),
        ("pad images", [X(4, 32, 32, 64)], x => x[0].Pad([0, 0, 1, 1, 1, 1])),
        ("reflect images", [X(4, 64, 64, 32)], x => x[0].Pad([0, 0, 2, 2, 2, 2], PadMode.Reflect)),
        (
            "select rows", [X(2048, 256), Rows(1024, of: 2048)],
            x => x[0].IndexSelect(0, x[1])),
        (
            "gather between", [X(32, 64, 256), Rows(1024, of: 64, width: 256)],
            x => x[0].Gather(1, x[1].Reshape(new Shape(32, 32, 256)))),
        (
            "one-hot", [OpInput.Integers("index", new Shape(4096), 0, 127, DType.Int32), X(4096, 128)],
            x => x[0].OneHot(128) * x[1]),
    }.Select(row => new TrafficCase(row.Name, row.Inputs, row.Build));

    /// <summary>Kernels that no case counts, by how their names begin, and why.</summary>
    private static readonly Dictionary<string, string> Uncounted = new()
    {
        ["batchnorm_whole_ones"] = "fewer rows than 64: docs/gpu.md",
        ["cast_"] = "one template: from a type to itself, and where gradients of several casts add up",
        ["conv2d_"] = "products read operands again, as their tiles do; networks count their bank conflicts",
        ["dense_"] = "likewise",
        ["elementwise_axes_"] = "what is repeated along other axes than rows and columns is read again",
        ["elementwise_sum_axes"] = "likewise",
        ["fold_"] = "single channels, whose patches overlap within sectors",
        ["gather_"] = "one template with gather_4 and gather_16",
        ["gridsample_"] = "each place reads four neighbors, wherever they lie",
        ["layernorm_forward_long"] = "rows of more than 4096 are read again",
        ["layernorm_backward_long"] = "likewise",
        ["matmul_"] = "batched products read operands again, as their tiles do",
        ["memory_"] = "fills and sums of whole tensors, as vectors",
        ["moments_add"] = "a few numbers for each metric",
        ["optimizer_average"] = "one template with the other updates",
        ["pad_"] = "one template with pad_16 and pad_backward_16",
        ["pool2d_"] = "windows that overlap read an element again; networks count those that tile",
        ["rearrange_"] = "one template with rearrange_4, rearrange_16 and rearrange_tiles_4",
        ["recurrence_ends"] = "one row of each sequence",
        ["scaleddotproduct_"] = "every tile reads all keys or queries that it may see",
        ["scatter_"] = "one template with scatter_4",
        ["trilu_add_4"] = "one template with trilu_4",
        ["window"] = "windows of any taps read an element again",
    };

    private static IEnumerable<TrafficCase> Cases => [.. Large, .. TrafficCases.All];

    private readonly Dictionary<string, KernelCounts[]> _counts = [];

    private CudaDevice? _own;

    /// <summary>Without cuDNN.</summary>
    private CudaDevice Own => _own ??= TestGpu.Create(new CudaOptions { UseCudnn = false });

    [OneTimeTearDown]
    public void DisposeOwn() => _own?.Dispose();

    [Test]
    public void A_step_moves_each_datum_once(
        [ValueSource(typeof(Networks), nameof(Networks.All))] Network network, [Values] bool cudnn)
    {
        using Device device = TestGpu.Open(new CudaOptions { UseCudnn = cudnn });
        using var trainer = new Trainer(network.Build(), device, network.Loss, network.Optimizer());
        var batch = new RandomBatch(network);
        batch.Step(trainer);
        TestGpu.Software.ResetCounters();
        batch.Step(trainer);
        RequireEfficient(TrafficCase.Launched(), kernel => MostMoved.GetValueOrDefault(kernel, Most));
    }

    [TestCaseSource(nameof(Cases))]
    public void A_case_moves_each_datum_once(TrafficCase @case)
    {
        IReadOnlyList<KernelCounts> kernels = CountsOf(@case);
        Assert.That(kernels, Is.Not.Empty);
        RequireEfficient(kernels, kernel => @case.MostOf(kernel, MostMoved.GetValueOrDefault(kernel, Most)), @case.MostConflicts);
    }

    /// <summary>A kernel without a case would be free to move anything.</summary>
    [Test]
    public void Every_kernel_has_a_case_or_a_reason()
    {
        string[] entries = [.. KernelSource.Embedded.Families.SelectMany(Entries)];
        HashSet<string> counted = [.. Cases.SelectMany(CountsOf).Select(kernel => kernel.Name)];
        Assert.Multiple(() =>
        {
            Assert.That(entries, Has.Length.GreaterThan(500), "kernels that are embedded");
            Assert.That(
                string.Join(" ", entries.Where(entry => !counted.Contains(entry) && !HasReason(entry))), Is.Empty,
                "kernels with neither a case nor a reason");
            Assert.That(
                Uncounted.Keys.Where(start => !entries.Any(entry => entry.StartsWith(start, StringComparison.Ordinal))), Is.Empty,
                "reasons for kernels that are not there");
        });

        static bool HasReason(string entry) => Uncounted.Keys.Any(start => entry.StartsWith(start, StringComparison.Ordinal));

        static IEnumerable<string> Entries(string family) =>
            Regex.Matches(Encoding.ASCII.GetString(KernelSource.Embedded.Read(family)!), @"\.entry (\w+)\(")
                .Select(match => match.Groups[1].Value);
    }

    /// <summary>Scores of T queries and T keys stay in registers: with twice the length twice as much is written, not four
    /// times.</summary>
    [Test]
    public void Attention_writes_no_scores()
    {
        const int Length = 512;
        (double bytes, string each) = Written(Length);
        (double half, _) = Written(Length / 2);
        Assert.That(bytes, Is.LessThan(2.1 * half), each);
        Assert.That(bytes, Is.LessThan(Length * Length * sizeof(float)), each);

        (double Bytes, string Each) Written(int length)
        {
            OpInput Operand() => OpInput.Uniform("x", new Shape(1, 1, length, 32));
            var attention = new TrafficCase(
                "attention", [Operand(), Operand(), Operand()], x => x[0].ScaledDotProductAttention(x[1], x[2]));
            KernelCounts[] kernels = [.. attention.Measure(Gpu)];
            Assert.That(kernels.Select(kernel => kernel.Name), Has.Some.StartsWith("scaleddotproduct_forward"));
            return (
                kernels.Sum(kernel => kernel.StoredBytes),
                string.Join(", ", kernels.Select(kernel => $"{kernel.Name} {kernel.StoredBytes:N0}")));
        }
    }

    /// <summary>Each case is counted once, whichever test asks first.</summary>
    private KernelCounts[] CountsOf(TrafficCase @case)
    {
        if (!_counts.TryGetValue(@case.Name, out KernelCounts[]? counts))
        {
            _counts.Add(@case.Name, counts = [.. @case.Measure(@case.IsWithoutCudnn ? Own : Gpu)]);
        }

        return counts;
    }

    private static void RequireEfficient(
        IEnumerable<KernelCounts> kernels, Func<string, double> most, double mostConflicts = 0) => Assert.Multiple(() =>
    {
        foreach (KernelCounts kernel in kernels)
        {
            double conflicts = kernel.SharedRequests == 0 ? 0 : kernel.BankConflicts / (double)kernel.SharedRequests;
            Assert.That(
                conflicts, Is.LessThanOrEqualTo(MostConflicts.GetValueOrDefault(kernel.Name, mostConflicts)),
                $"{kernel.Name}: {kernel.BankConflicts:N0} bank conflicts of {kernel.SharedRequests:N0} requests");
            Assert.That(kernel.LocalBytes, Is.Zero, $"{kernel.Name}: local memory");
            if (!Array.Exists(Products, kernel.Name.StartsWith))
            {
                Assert.That(
                    kernel.MovedRatio, Is.LessThanOrEqualTo(most(kernel.Name)),
                    $"{kernel.Name}: moved {kernel.MovedBytes:N0} bytes, touched {kernel.IdealBytes:N0}");
            }
        }
    });
}
