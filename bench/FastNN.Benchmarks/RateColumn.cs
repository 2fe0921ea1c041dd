using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace FastNN.Benchmarks;

/// <summary>What one call of a benchmark does, so that its time becomes a rate.</summary>
/// <param name="Name">Shown in the table.</param>
/// <param name="Flops">Multiplications and additions; 0 where bytes are what counts.</param>
/// <param name="Bytes">Bytes that must be read and written; 0 where operations are what counts.</param>
/// <param name="Examples">Examples that go through a network; 0 for a kernel.</param>
public record Work(string Name, double Flops = 0, double Bytes = 0, double Examples = 0)
{
    public sealed override string ToString() => Name;
}

/// <summary>How often a method does the work of its case: a backward pass of a convolution is two convolutions.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PassesAttribute(double passes) : Attribute
{
    public double Passes { get; } = passes;
}

/// <summary>GFLOP/s, GB/s or examples per second, from the median.</summary>
public sealed class RateColumn : IColumn
{
    public string Id => nameof(RateColumn);

    public string ColumnName => "Rate";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => "GFLOP/s, GB/s or examples per second at the median time";

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        Work? work = benchmarkCase.Parameters.Items.Select(item => item.Value).OfType<Work>().FirstOrDefault();
        double? nanoseconds = summary[benchmarkCase]?.ResultStatistics?.Median;
        if (work is null || nanoseconds is not { } time)
        {
            return "-";
        }

        double passes = benchmarkCase.Descriptor.WorkloadMethod.GetCustomAttribute<PassesAttribute>()?.Passes ?? 1;
        (double amount, string unit) = work switch
        {
            { Flops: > 0 } => (work.Flops / time, "GFLOP/s"),
            { Bytes: > 0 } => (work.Bytes / time, "GB/s"),
            _ => (work.Examples / time * 1e9, "examples/s"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{amount * passes:N1} {unit}");
    }
}
