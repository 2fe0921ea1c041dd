namespace FastNN.Hosting;

/// <summary>What a classifier takes an example for.</summary>
/// <param name="Index">The class.</param>
/// <param name="Label">Its name; its number where nobody named the classes.</param>
/// <param name="Probability">0 to 1.</param>
public readonly record struct ClassPrediction(int Index, string Label, float Probability);
