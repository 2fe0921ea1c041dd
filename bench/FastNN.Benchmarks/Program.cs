using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;
using FastNN.Benchmarks;

if (args is [WinogradAccuracy.Command])
{
    WinogradAccuracy.Run();
    return;
}

if (args is [AugmentationBenefit.Command])
{
    AugmentationBenefit.Run();
    return;
}

// dotnet run -c Release --project bench/FastNN.Benchmarks -- --filter '*' --job short
IConfig config = DefaultConfig.Instance
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumn(StatisticColumn.Median, new RateColumn())
    .HideColumns(Column.Error, Column.StdDev, Column.RatioSD);
BenchmarkSwitcher.FromAssembly(typeof(RateColumn).Assembly).Run(args, config);
