namespace FastNN.Tests;

/// <summary>Runs the tests where there is no SDK: what tools/gpu-bundle ships. `dotnet test` does not come here.</summary>
internal static class Program
{
    public static int Main(string[] args) => TestRunner.Run(args, "FastNN.Tests.dll", "FastNN.Cuda.Tests.dll");
}
