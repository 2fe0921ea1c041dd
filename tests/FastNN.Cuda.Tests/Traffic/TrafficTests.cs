using System.Text;
using System.Text.RegularExpressions;
using FastNN.Cli;

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
        // Tiles of one and two bytes, several of which share a bank's word.
        ["rearrange_tiles_1"] = 0.375,
        ["rearrange_tiles_2"] = 0.25,
    };

    /// <summary>
    /// A bias that is read again for each few rows of a small matrix: 12 KB in all. Behind cuDNN the same kernel finishes large
    /// convolutions too, and stays within 1.10. Joining the statistics of groups of channels reads what a few channels have, in
    /// launches of at most 12 KB beside passes over the whole input.
    /// </summary>
    private static readonly Dictionary<string, double> MostMoved = new()
    {
        ["dense_bias_activation"] = 1.36,
        ["batchnorm_groups"] = 1.51,
        ["batchnorm_join"] = 1.59,
    };

    /// <summary>Kernels that no case counts, by how their names begin, and why.</summary>
    private static readonly Dictionary<string, string> Uncounted = new()
    {
        ["batchnorm_"] = "channels that are not a multiple of 4: docs/gpu.md has what they move",
        ["cast_"] = "one template: from a type to itself, and where gradients of several casts add up",
        ["concat_rows"] = "one template with concat_rows_by_four",
        ["conv2d_"] = "products read operands again, as their tiles do; networks count their bank conflicts",
        ["dense_"] = "likewise",
        ["elementwise_axes_"] = "what is repeated along other axes than rows and columns is read again",
        ["elementwise_sum_axes"] = "likewise",
        ["fold_"] = "single channels, whose patches overlap within sectors",
        ["gather_"] = "one template with gather_4 and gather_16",
        ["gridsample_"] = "each place reads four neighbors, wherever they lie",
        ["layernorm_forward_long"] = "rows of more than 4096 are read again",
        ["layernorm_backward_long"] = "likewise",
        ["memory_"] = "fills and sums of whole tensors, as vectors",
        ["moments_add"] = "a few numbers for each metric",
        ["optimizer_average"] = "one template with the other updates",
        ["pad_"] = "one template with pad_16 and pad_backward_16",
        ["pool2d_"] = "windows that overlap read an element again; networks count those that tile",
        ["rearrange_"] = "one template with rearrange_4, rearrange_16 and rearrange_tiles_4",
        ["recurrence_ends"] = "one row of each sequence",
        ["scatter_"] = "one template with scatter_4",
        ["trilu_add_4"] = "one template with trilu_4",
        ["window"] = "windows of any taps read an element again",
    };

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

    [TestCaseSource(typeof(TrafficCases), nameof(TrafficCases.All))]
    public void A_case_moves_each_datum_once(TrafficCase @case)
    {
        IReadOnlyList<KernelCounts> kernels = CountsOf(@case);
        Assert.That(kernels, Is.Not.Empty);
        RequireEfficient(kernels, kernel => @case.MostOf(kernel, MostMoved.GetValueOrDefault(kernel, Most)));
    }

    /// <summary>A kernel without a case would be free to move anything.</summary>
    [Test]
    public void Every_kernel_has_a_case_or_a_reason()
    {
        string[] entries = [.. KernelSource.Embedded.Families.SelectMany(Entries)];
        HashSet<string> counted = [.. TrafficCases.All.SelectMany(CountsOf).Select(kernel => kernel.Name)];
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

    /// <summary>Scores of T queries and T keys stay in registers: written are outputs and a few numbers a row.</summary>
    [Test]
    public void Attention_writes_no_scores()
    {
        const int Length = 512, Width = 32;
        OpInput Operand() => OpInput.Uniform("x", new Shape(1, 1, Length, Width));
        var attention = new TrafficCase(
            "attention", [Operand(), Operand(), Operand()], x => x[0].ScaledDotProductAttention(x[1], x[2]));
        KernelCounts[] kernels = [.. attention.Measure(Gpu)];
        Assert.That(kernels.Select(kernel => kernel.Name), Has.Some.StartsWith("scaleddotproduct_forward"));
        // The output and three gradients, and as much again for what is kept of each row.
        double written = kernels.Sum(kernel => kernel.StoredBytes);
        Assert.That(written, Is.LessThan(2 * 4 * Length * Width * sizeof(float)));
        Assert.That(written, Is.LessThan(Length * Length * sizeof(float)));
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

    private static void RequireEfficient(IEnumerable<KernelCounts> kernels, Func<string, double> most) => Assert.Multiple(() =>
    {
        foreach (KernelCounts kernel in kernels)
        {
            double conflicts = kernel.SharedRequests == 0 ? 0 : kernel.BankConflicts / (double)kernel.SharedRequests;
            Assert.That(
                conflicts, Is.LessThanOrEqualTo(MostConflicts.GetValueOrDefault(kernel.Name)),
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
