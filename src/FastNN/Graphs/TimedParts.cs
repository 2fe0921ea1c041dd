using System.Diagnostics;

namespace FastNN.Graphs;

/// <summary>Parts of a step that are no plan's, such as its update, run one after the other with the time of each.</summary>
internal sealed class TimedParts(params (StepDescription Step, Action Run)[] parts)
{
    private readonly StepDescription[] _steps = Array.ConvertAll(parts, part => part.Step);
    private readonly long[] _times = new long[parts.Length + 1];

    public void Run(IStepObserver observer)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            _times[i] = Stopwatch.GetTimestamp();
            parts[i].Run();
        }

        _times[^1] = Stopwatch.GetTimestamp();
        observer.Ran(_steps, _times);
    }
}
