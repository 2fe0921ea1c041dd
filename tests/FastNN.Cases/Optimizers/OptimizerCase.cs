namespace FastNN.Testing;

/// <summary>An optimizer with its double reference.</summary>
/// <param name="Reference">Learning rate, step, parameter, gradient, the states in the optimizer's order.</param>
/// <param name="Initial">What states begin with.</param>
internal sealed record OptimizerCase(
    string Name, Func<Optimizer> Create, Action<double, int, double[], double[], double[][]> Reference, float Initial = 0)
{
    public const float Rate = 0.05f;

    /// <summary>What float may lose of a state that can be negative, absolutely.</summary>
    public double StateTolerance { get; init; } = 4e-7;

    /// <summary>What float may lose of a state of squares, absolutely.</summary>
    public double SquaresTolerance { get; init; } = 1e-12;

    public static IEnumerable<OptimizerCase> All { get; } =
    [
        Sgd("plain", 0, 0, 0, false),
        Sgd("weight decay", 0, 0, 0.1f, false),
        Sgd("momentum", 0.9f, 0, 0, false),
        Sgd("dampening and weight decay", 0.8f, 0.3f, 0.05f, false),
        Sgd("Nesterov", 0.9f, 0, 0.01f, true),
        Adam("Adam", 0.9f, 0.999f, 1e-8f, 0, false, false),
        Adam("Adam betas and weight decay", 0.8f, 0.95f, 1e-6f, 0.1f, false, false) with
        {
            SquaresTolerance = Cancelling(share: 0.05, decay: 0.1),
        },
        Adam("Adam AMSGrad", 0.9f, 0.9f, 1e-8f, 0, false, true),
        Adam("AdamW", 0.9f, 0.999f, 1e-8f, 0.01f, true, false),
        Adam("AdamW AMSGrad", 0.85f, 0.97f, 1e-7f, 0.2f, true, true),
        NAdam("NAdam", 0.9f, 0.999f, 1e-8f, 0, 0.004f),
        NAdam("NAdam betas and weight decay", 0.8f, 0.95f, 1e-6f, 0.1f, 0.01f) with
        {
            SquaresTolerance = Cancelling(share: 0.05, decay: 0.1),
        },
        Adamax("Adamax", 0.9f, 0.999f, 1e-8f, 0),
        Adamax("Adamax betas and weight decay", 0.8f, 0.95f, 1e-6f, 0.1f),
        RmsProp("RMSprop", 0.99f, 1e-8f, 0, 0, false),
        RmsProp("RMSprop with momentum", 0.9f, 1e-6f, 0.05f, 0.8f, false),
        // Where the variance nearly cancels, float has few digits of it: a larger epsilon keeps that out of the comparison.
        RmsProp("RMSprop centered", 0.95f, 0.03f, 0, 0, true),
        // Its velocity adds up terms of up to 1 / epsilon = 33, which may cancel.
        RmsProp("RMSprop centered with momentum", 0.9f, 0.03f, 0.1f, 0.9f, true) with { StateTolerance = 4e-6 },
        Adagrad("Adagrad", 0, 0, 0, 1e-10f),
        Adagrad("Adagrad with a falling rate", 0.2f, 0.1f, 0.5f, 1e-6f),
        Adadelta("Adadelta", 0.9f, 1e-6f, 0),
        Adadelta("Adadelta with weight decay", 0.8f, 1e-4f, 0.05f),
        NAdam("NAdam with decoupled decay", 0.9f, 0.999f, 1e-8f, 0.1f, 0.004f, decoupled: true),
        RAdam("RAdam", 0.9f, 0.999f, 1e-8f, 0, false),
        RAdam("RAdam that is rectified early", 0.8f, 0.7f, 1e-6f, 0.1f, false) with
        {
            SquaresTolerance = Cancelling(share: 0.3, decay: 0.1),
        },
        RAdam("RAdam with decoupled decay", 0.9f, 0.6f, 1e-6f, 0.1f, true),
        Lion("Lion", 0.9f, 0.99f, 0),
        Lion("Lion with decay", 0.8f, 0.95f, 0.1f),
        Lamb("LAMB", 0.9f, 0.999f, 1e-6f, 0.01f),
        Lamb("LAMB without decay", 0.8f, 0.95f, 1e-6f, 0),
    ];

    public override string ToString() => Name;

    /// <summary>
    /// What float may lose of a mean of squares where gradient and decay nearly cancel. Each of the three updates before the last
    /// gradient may leave a parameter below 4 off by a unit, 2^-22, so that g = gradient + decay p is off by d = decay 3 2^-22,
    /// and its square, of which the mean takes a share, by 2 g d. The relative bound allows r g^2 with r = 16 2^-23 as well; what
    /// is above that is largest for g = d / r, where it is d^2 / r.
    /// </summary>
    private static double Cancelling(double share, double decay) =>
        share * Math.Pow(decay * 3 * Math.Pow(2, -22), 2) / (16 * Math.Pow(2, -23));

    /// <summary>The decimal number that was meant, as the optimizers take it: 0.999f is off by 1.3e-5 of 1 - 0.999.</summary>
    private static double Decimal(float beta) => (double)(decimal)beta;

    private static OptimizerCase Sgd(string name, float momentum, float dampening, float decay, bool nesterov) => new(
        $"SGD {name}", () => new Sgd(Rate, momentum, dampening, decay, nesterov),
        (rate, step, p, g, state) =>
            OptimizerReference.Sgd(rate, momentum, dampening, decay, nesterov, step == 1, p, g, momentum == 0 ? [] : state[0]));

    private static OptimizerCase Adam(
        string name, float beta1, float beta2, float epsilon, float decay, bool decoupled, bool amsGrad) => new(
        name,
        () => decoupled
            ? new AdamW(Rate, beta1, beta2, epsilon, decay, amsGrad)
            : new Adam(Rate, beta1, beta2, epsilon, decay, amsGrad),
        (rate, step, p, g, state) =>
            OptimizerReference.Adam(
                rate, Decimal(beta1), Decimal(beta2), epsilon, decay, decoupled, step, p, g, state[0], state[1],
                amsGrad ? state[2] : []));

    private static OptimizerCase NAdam(
        string name, float beta1, float beta2, float epsilon, float decay, float momentumDecay, bool decoupled = false) => new(
        name, () => new NAdam(Rate, beta1, beta2, epsilon, decay, momentumDecay, decoupled),
        (rate, step, p, g, state) => OptimizerReference.NAdam(
            rate, Decimal(beta1), Decimal(beta2), epsilon, decay, momentumDecay, decoupled, step, p, g, state[0],
            state[1]));

    private static OptimizerCase RAdam(string name, float beta1, float beta2, float epsilon, float decay, bool decoupled) => new(
        name, () => new RAdam(Rate, beta1, beta2, epsilon, decay, decoupled),
        (rate, step, p, g, state) => OptimizerReference.RAdam(
            rate, Decimal(beta1), Decimal(beta2), epsilon, decay, decoupled, step, p, g, state[0], state[1]));

    private static OptimizerCase Lion(string name, float beta1, float beta2, float decay) => new(
        name, () => new Lion(Rate, beta1, beta2, decay),
        (rate, step, p, g, state) => OptimizerReference.Lion(rate, Decimal(beta1), Decimal(beta2), decay, p, g, state[0]));

    private static OptimizerCase Lamb(string name, float beta1, float beta2, float epsilon, float decay) => new(
        name, () => new Lamb(Rate, beta1, beta2, epsilon, decay),
        (rate, step, p, g, state) => OptimizerReference.Lamb(
            rate, Decimal(beta1), Decimal(beta2), epsilon, decay, step, p, g, state[0], state[1]));

    private static OptimizerCase Adamax(string name, float beta1, float beta2, float epsilon, float decay) => new(
        name, () => new Adamax(Rate, beta1, beta2, epsilon, decay),
        (rate, step, p, g, state) => OptimizerReference.Adamax(
            rate, beta1, beta2, epsilon, decay, step, p, g, state[0], state[1]));

    private static OptimizerCase RmsProp(string name, float alpha, float epsilon, float decay, float momentum, bool centered) =>
        new(
        name, () => new RmsProp(Rate, alpha, epsilon, decay, momentum, centered),
        (rate, step, p, g, state) => OptimizerReference.RmsProp(
            rate, alpha, epsilon, decay, momentum, p, g, state[0], centered ? state[1] : [],
            momentum == 0 ? [] : state[centered ? 2 : 1]));

    private static OptimizerCase Adagrad(string name, float rateDecay, float decay, float initial, float epsilon) => new(
        name, () => new Adagrad(Rate, rateDecay, decay, initial, epsilon),
        (rate, step, p, g, state) => OptimizerReference.Adagrad(rate, rateDecay, decay, epsilon, step, p, g, state[0]), initial);

    private static OptimizerCase Adadelta(string name, float rho, float epsilon, float decay) => new(
        name, () => new Adadelta(Rate, rho, epsilon, decay),
        (rate, step, p, g, state) => OptimizerReference.Adadelta(rate, rho, epsilon, decay, p, g, state[0], state[1]));
}
