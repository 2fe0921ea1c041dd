namespace FastNN.Stress;

/// <summary>A predictor that many threads call while one of them disposes it.</summary>
internal sealed class SharedPredictor(Problem problem, Predictor predictor, int step) : IDisposable
{
    public void Predict(bool one, Findings findings)
    {
        float[] y = problem.Predict(predictor, one ? 1 : problem.Batch);
        findings.RequireSame(
            one ? problem.FirstPredictions[step] : problem.Predictions[step], y, $"{problem} predicted by many threads");
    }

    public void Dispose() => predictor.Dispose();
}
