using System.Diagnostics.CodeAnalysis;

namespace FastNN.Cuda;

/// <summary>Whether a program has what GPUs need. The trimmer knows the answer, and leaves out what hangs on it.</summary>
internal static class CudaSupport
{
    private const string Switch = "FastNN.Cuda.IsSupported";

    /// <summary>False where the program was built with FastNNCuda=false (buildTransitive/FastNN.targets).</summary>
    [FeatureSwitchDefinition(Switch)]
    public static bool IsSupported => !AppContext.TryGetSwitch(Switch, out bool isEnabled) || isEnabled;

    public static string LeftOut =>
        "This program was built without CUDA: remove <FastNNCuda>false</FastNNCuda> from its project.";
}
