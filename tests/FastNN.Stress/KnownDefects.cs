namespace FastNN.Stress;

/// <summary>
/// Interleavings that are known to kill the process or to give wrong answers; each is left out unless --defects names it ("all" names
/// every one). Whoever mends one moves it into the default set: delete its name here and its condition in Round.
/// </summary>
internal static class KnownDefects
{
    /// <summary>Device.Dispose while predictors run on it. Wanted: they finish, or throw ObjectDisposedException.</summary>
    public const string DisposeDevice = "dispose-device";

    /// <summary>
    /// Compile, or Parameter.Read, on a model whose trainer steps or is disposed on another thread. Wanted: the values between two steps, or
    /// ConcurrentUseException.
    /// </summary>
    public const string ReadWhileTraining = "read-while-training";

    /// <summary>Trainer.Dispose within a callback of its own Fit. Wanted: InvalidOperationException, or ObjectDisposedException from Fit.</summary>
    public const string DisposeInCallback = "dispose-in-callback";

    /// <summary>A first step that fails half way, then Trainer.Dispose. Wanted: nothing is freed twice, the model can be read.</summary>
    public const string FailingFirstStep = "failing-first-step";

    public static IReadOnlyList<string> All { get; } = [DisposeDevice, ReadWhileTraining, DisposeInCallback, FailingFirstStep];
}
