# Computes a trial's results again in R, and compares them with results.json.
#
#   Rscript reproduce.R [FOLDER]
#
# FOLDER holds trial.csv and results.json, as an export has them and as `manage.py analyse` takes and
# gives them (the plan is in results.json). Needs jsonlite; nlme comes with R. With the package mmrm
# (0.3 or later) the mixed models are compared to 1e-5 or better: adjusted means, contrasts, standard
# errors, degrees of freedom (Kenward-Roger or Satterthwaite, as planned), p values, joint tests and
# everything that follows from them. Without it nlme::gls checks the contrasts of the unstructured
# model and its likelihood, to 1e-3. Dunnett's adjustment is compared where mvtnorm is there.
#
# Compared besides: means, changes and change rates with their intervals; responders, their
# differences, ratios and standardised risks; Hedges' g; rank tests; covariance analysis, classical
# and HC3; adjusted p values and gates; margins; dose and complier effect; paths of a mediation;
# slopes on features of the music; alpha and omega; harms, where harms.csv is there (how often
# people were asked is in no table). Not computed again, for they draw, refit or look
# at several looks: what is listed at the end. Writes reproduced.csv and exits with 1 where a number
# differs, or where R has one that results.json refuses or lacks.

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
results <- jsonlite::fromJSON(file.path(folder, "results.json"), simplifyVector = FALSE)
plan <- results$plan
HAVE_MMRM <- suppressWarnings(requireNamespace("mmrm", quietly = TRUE))
HAVE_MVTNORM <- requireNamespace("mvtnorm", quietly = TRUE)
# Of closed forms; of what is found by iteration; of integrals; of mixed models.
EXACT <- 1e-8; FOUND <- 1e-5; MODEL <- if (HAVE_MMRM) 1e-5 else 1e-3
level <- plan$level; tail <- (1 - level) / 2
or_na <- function(x) if (is.null(x)) NA else x

## ---- the table -------------------------------------------------------------------------------
columns <- plan$columns
raw <- read.csv(file.path(folder, "trial.csv"), colClasses = "character", check.names = FALSE,
                na.strings = unlist(plan$missing_codes), encoding = "UTF-8")
as_visit <- function(x) ifelse(is.na(suppressWarnings(as.numeric(x))), x, as.character(as.numeric(x)))
raw$visit <- as_visit(raw[[columns$visit]])
weeks <- as_visit(as.character(unlist(plan$visits))); first <- as_visit(as.character(plan$baseline_visit))
decisive <- as_visit(as.character(plan$primary$visit))
raw$id <- raw[[columns$id]]; raw$arm <- raw[[columns$arm]]
arms <- unique(c(plan$reference_arm, unlist(plan$arms), sort(unique(raw$arm), method = "radix")))
arms <- arms[arms %in% raw$arm]
people <- raw[!duplicated(raw$id), c("id", "arm")]
of_person <- function(column) {
  known <- raw[!is.na(raw[[column]]), ]
  known[[column]][match(people$id, known$id)]
}
numbers_at <- function(column, visit) {
  rows <- raw[raw$visit == visit, ]
  as.numeric(rows[[column]][match(people$id, rows$id)])
}
# Strata as columns of 0 and 1 without the first level, covariates as they are. An adjusted mean
# stands at equally weighted strata and at the covariates' mean.
strata <- lapply(unlist(plan$strata), function(name) {
  values <- factor(of_person(name))
  sapply(levels(values)[-1], function(one) as.numeric(values == one))
})
n_terms <- vapply(strata, length, 0L) / nrow(people); n_levels <- rep(n_terms + 1, n_terms)
covariates <- lapply(unlist(plan$covariates), function(name) as.numeric(of_person(name)))
# No column at all where a plan names none, or a stratum has one level.
others <- matrix(as.numeric(unlist(c(strata, covariates))), nrow = nrow(people))
is_stratum <- seq_len(ncol(others)) <= length(n_levels)
middle_of <- function(rows) {
  middle <- colMeans(others[rows, , drop = FALSE])
  middle[is_stratum] <- 1 / n_levels
  middle
}

## ---- what was computed again ------------------------------------------------------------------
again <- list(); fits <- list()
keep <- function(outcome, method, visit, quantity, values, contrast = NA, arm = NA,
                 tolerance = EXACT) {
  again[[length(again) + 1]] <<- list(key = paste(outcome, method, visit, quantity, contrast, arm,
    sep = "|"), method = method, tolerance = tolerance, values = values)
}
t_values <- function(estimate, se, df) {
  half <- qt(1 - tail, df) * se
  list(estimate = estimate, se = se, df = df, ci_low = estimate - half, ci_high = estimate + half)
}
judged <- function(estimate, se, df, ...) {
  c(t_values(estimate, se, df), list(p = 2 * pt(-abs(estimate / se), df), ...))
}
keep_mean <- function(outcome, method, visit, arm, x) {
  if (length(x) < 2) return(invisible())
  keep(outcome, method, visit, method, c(t_values(mean(x), sd(x) / sqrt(length(x)), length(x) - 1),
       list(n = length(x), sd = sd(x))), arm = arm)
}
versus_reference <- lapply(arms[-1], function(arm) c(arm, arms[1]))
families <- list(versus_reference = versus_reference,
  among_others = if (length(arms) > 2) combn(arms[-1], 2, simplify = FALSE) else list())
label <- function(pair) paste(pair, collapse = " - ")

## ---- described --------------------------------------------------------------------------------
describe <- function(outcome, sign, before, after, visit, arm) {
  keep_mean(outcome, "mean", visit, arm, after[!is.na(after)])
  pairs <- !is.na(before) & !is.na(after)
  if (visit == first || sum(pairs) < 2) return(invisible())
  x <- before[pairs]; y <- after[pairs]; n <- length(x)
  keep_mean(outcome, "change", visit, arm, sign * (x - y))
  rates <- 100 * sign * (x - y)[x != 0] / x[x != 0]
  keep_mean(outcome, "rate_individual", visit, arm, rates)
  if (length(rates)) keep(outcome, "rate_individual_median", visit, "rate_individual_median",
                          list(estimate = median(rates)), arm = arm)
  # Fieller's interval of the ratio of means.
  q <- qt(1 - tail, n - 1); mx <- mean(x); my <- mean(y)
  a <- mx^2 - q^2 * var(x) / n; b <- mx * my - q^2 * cov(x, y) / n; c <- my^2 - q^2 * var(y) / n
  if (a > 0 && b^2 - a * c >= 0) {
    ends <- sort(100 * sign * (1 - (b + c(-1, 1) * sqrt(b^2 - a * c)) / a))
    keep(outcome, "rate_of_means", visit, "rate_of_means", arm = arm, list(
         estimate = 100 * sign * (1 - my / mx), ci_low = ends[1], ci_high = ends[2], n = n))
  }
}

responded <- function(rule, sign, before, after) {
  kind <- names(rule)[1]; value <- rule[[1]]
  if (kind %in% c("any", "all")) {
    each <- lapply(value, responded, sign = sign, before = before, after = after)
    return(Reduce(if (kind == "any") `|` else `&`, each))
  }
  better <- sign * (before - after)
  yes <- switch(kind, score_at_most = after <= value, score_at_least = after >= value,
    change_at_least = better >= value, rate_at_least = before != 0 & 100 * better >= value * abs(before))
  ifelse(is.na(better), NA, yes)
}
wilson <- function(yes, n) {
  suppressWarnings(prop.test(yes, n, conf.level = level, correct = FALSE))$conf.int
}
ratio_values <- function(ratio, se, n) {
  list(estimate = ratio, se = se, ci_low = exp(log(ratio) - qnorm(1 - tail) * se),
       ci_high = exp(log(ratio) + qnorm(1 - tail) * se), p = 2 * pnorm(-abs(log(ratio) / se)), n = n)
}
difference_of <- function(a, m, b, k) {
  one <- wilson(a, m); two <- wilson(b, k); p1 <- a / m; p2 <- b / k
  ends <- p1 - p2 + c(-1, 1) * sqrt(c((p1 - one[1])^2 + (two[2] - p2)^2,
                                      (one[2] - p1)^2 + (p2 - two[1])^2))
  list(estimate = p1 - p2, se = sqrt(p1 * (1 - p1) / m + p2 * (1 - p2) / k), ci_low = ends[1],
       ci_high = ends[2], n = m + k)
}
compare_responders <- function(outcome, suffix, visit, yes) {
  kept <- !is.na(yes)
  x <- table(factor(people$arm[kept & yes %in% 1], arms)); n <- table(factor(people$arm[kept], arms))
  for (arm in arms[n > 0]) {
    ends <- wilson(x[[arm]], n[[arm]])
    keep(outcome, paste0("responders", suffix), visit, "responders", list(estimate = x[[arm]] / n[[arm]],
         ci_low = ends[1], ci_high = ends[2], n = n[[arm]]), arm = arm)
  }
  for (pair in versus_reference) {
    a <- x[[pair[1]]]; b <- x[[pair[2]]]; m <- n[[pair[1]]]; k <- n[[pair[2]]]
    if (!m || !k) next
    tell <- function(method, values) keep(outcome, paste0(method, suffix), visit, method, values,
                                          contrast = label(pair))
    p1 <- a / m; p2 <- b / k; found <- difference_of(a, m, b, k)
    p <- suppressWarnings(prop.test(c(a, b), c(m, k), correct = FALSE))$p.value
    tell("risk_difference", c(found, p = p))
    if (found$ci_low > 0 || found$ci_high < 0)
      tell("nnt", list(estimate = 1 / (p1 - p2), ci_low = 1 / found$ci_high, ci_high = 1 / found$ci_low))
    se <- sqrt(1 / a - 1 / m + 1 / b - 1 / k)
    if (a && b && se > 0) tell("risk_ratio", ratio_values(p1 / p2, se, m + k))
    if (a && b && m > a && k > b) tell("odds_ratio", ratio_values(a * (k - b) / (b * (m - a)),
      sqrt(1 / a + 1 / (m - a) + 1 / b + 1 / (k - b)), m + k))
  }
}
compare_samples <- function(outcome, visit, y) {
  shown <- factor(people$arm, arms)[!is.na(y)]; x <- y[!is.na(y)]
  if (length(unique(x)) > 1 && all(table(shown) > 0)) {
    test <- kruskal.test(x, shown)
    keep(outcome, "kruskal_wallis", visit, "H", list(estimate = unname(test$statistic),
         df = unname(test$parameter), p = test$p.value, n = length(x)))
  }
  for (pair in versus_reference) {
    a <- x[shown == pair[1]]; b <- x[shown == pair[2]]; m <- length(a) + length(b) - 2
    if (length(a) && length(b) && length(a) * length(b) <= 4e6) {
      p <- suppressWarnings(wilcox.test(a, b, exact = FALSE))$p.value
      keep(outcome, "hodges_lehmann", visit, "hodges_lehmann", contrast = label(pair),
           list(estimate = median(outer(a, b, "-")), p = if (is.nan(p)) 1 else p))
    }
    if (length(a) < 2 || length(b) < 2) next
    pooled <- sqrt(((length(a) - 1) * var(a) + (length(b) - 1) * var(b)) / m)
    if (pooled == 0) next
    d <- (mean(a) - mean(b)) / pooled; g <- small_sample(m) * d
    scale <- sqrt(1 / length(a) + 1 / length(b))
    keep(outcome, "hedges_g", visit, "hedges_g", contrast = label(pair), list(estimate = g, df = m,
         se = sqrt(scale^2 + g^2 / (2 * (m + 2))), n = m + 2))
    keep_ends(outcome, "hedges_g", visit, "hedges_g", pair, d / scale, m, scale)
  }
}
small_sample <- function(m) exp(lgamma(m / 2) - log(sqrt(m / 2)) - lgamma((m - 1) / 2))
keep_ends <- function(outcome, method, visit, quantity, pair, ratio, df, scale) {
  # The non-centralities at which the ratio is just not too large and too small.
  if (is.na(df) || abs(ratio) > 30) return(invisible())
  end <- function(p) suppressWarnings(uniroot(function(nc) pt(ratio, df, nc) - p,
    ratio + c(-7, 7) * (1 + abs(ratio) / sqrt(df)), extendInt = "downX", tol = 1e-10)$root)
  ends <- small_sample(df) * scale * c(end(1 - tail), end(tail))
  keep(outcome, method, visit, quantity, list(ci_low = ends[1], ci_high = ends[2]),
       contrast = label(pair), tolerance = FOUND)
}

## ---- the mean of a model ----------------------------------------------------------------------
# Rows of the design at visits and arms: a mean of each visit, the baseline (not of a constrained
# model, whose arms share their baseline mean), strata and covariates, the arms.
design_rows <- function(about, arm, visit, base, rest) {
  at <- outer(visit, about$visits, `==`) * 1
  treated <- outer(arm, arms[-1], `==`) * 1
  own <- if (about$is_constrained) at[, -1, drop = FALSE] else at
  cbind(at, if (!about$is_constrained) (if (about$by_visit) at * base else base), rest,
        do.call(cbind, lapply(seq_len(ncol(own)), function(k) treated * own[, k])))
}
model_of <- function(visits, score, base, is_constrained = FALSE) {
  about <- list(visits = visits, is_constrained = is_constrained,
                by_visit = plan$baseline_by_visit && length(visits) > 1)
  long <- expand.grid(person = seq_len(nrow(people)), place = seq_along(visits))
  long$y <- unlist(score[visits])
  needed <- cbind(long$y, if (!is_constrained) base[long$person], others[long$person, ])
  long <- long[rowSums(is.na(needed)) == 0, ]
  long <- long[order(long$person, long$place), ]
  about$x <- design_rows(about, people$arm[long$person], visits[long$place], base[long$person],
                         others[long$person, , drop = FALSE])
  about$long <- long; about$used <- unique(long$person); about$n <- length(about$used)
  # Redundant columns are left out; a row that needs them is not estimable.
  split <- qr(about$x); about$kept <- sort(split$pivot[seq_len(split$rank)])
  about$span <- qr.coef(qr(about$x[, about$kept, drop = FALSE]), about$x)
  about$base <- mean(base[about$used]); about$middle <- middle_of(about$used)
  about
}
row_of <- function(about, arm, visit) {
  drop(design_rows(about, arm, visit, about$base, matrix(about$middle, nrow = 1)))
}
estimable <- function(about, row) max(abs(row - row[about$kept] %*% about$span)) < 1e-8

adjust <- function(found, family, covariance) {
  p <- sapply(found, function(one) 2 * pt(-abs(one$estimate / one$se), one$df))
  method <- plan$primary$adjust
  if (grepl("^dunnett", method) && family == "versus_reference") {
    ratios <- abs(sapply(found, function(one) one$estimate / one$se))
    return(dunnett(ratios, cov2cor(covariance), min(sapply(found, `[[`, "df")),
                   by_steps = method == "dunnett_step_down"))
  }
  if (grepl("^dunnett", method)) method <- "holm"
  if (method == "none") rep(NA, length(p)) else p.adjust(p, sub("^b([hy])$", "B\\U\\1", method, perl = TRUE))
}
dunnett <- function(ratios, correlation, df, by_steps) {
  if (!HAVE_MVTNORM) return(rep(NA, length(ratios)))
  outside <- function(t, members) {
    # The chance that any of them is further out, the standard deviation being estimated.
    inside <- function(s) sapply(s, function(one) {
      k <- length(members); reach <- rep(t * one, k)
      shape <- correlation[members, members, drop = FALSE]
      if (k == 1) return(1 - 2 * pnorm(-reach))
      mvtnorm::pmvnorm(-reach, reach, corr = shape, algorithm = mvtnorm::Miwa(steps = 512))[1]
    })
    density <- function(s) 2 * df * s * dchisq(df * s^2, df)
    ends <- sqrt(qchisq(c(1e-10, 1 - 1e-10), df) / df)
    1 - integrate(function(s) inside(s) * density(s), ends[1], ends[2], rel.tol = 1e-8)$value
  }
  all_of <- seq_along(ratios)
  if (!by_steps) return(sapply(ratios, outside, members = all_of))
  order <- order(-ratios)
  steps <- sapply(all_of, function(rank) outside(ratios[order[rank]], order[rank:length(order)]))
  cummax(steps)[match(all_of, order)]
}

# Adjusted means and contrasts of a model that answers `ask(row)` with estimate, se and df.
keep_model <- function(outcome, method, visit, about, ask, covariance, sd, tolerance) {
  means <- setNames(lapply(arms, function(arm) row_of(about, arm, visit)), arms)
  for (arm in arms) if (estimable(about, means[[arm]])) {
    found <- ask(means[[arm]][about$kept])
    if (is.na(found$se)) next
    values <- t_values(found$estimate, found$se, found$df)
    keep(outcome, method, visit, "adjusted_mean", c(values, n = about$n), arm = arm, tolerance = tolerance)
    if (method == plan$primary$method) keep_rate(outcome, visit, arm, values, about$n, tolerance)
  }
  for (family in names(families)) {
    pairs <- families[[family]]
    rows <- lapply(pairs, function(pair) means[[pair[1]]] - means[[pair[2]]])
    fine <- vapply(rows, estimable, TRUE, about = about)
    pairs <- pairs[fine]; rows <- lapply(rows[fine], `[`, about$kept)
    if (!length(pairs)) next
    found <- lapply(rows, ask)
    if (is.na(found[[1]]$se)) {
      for (i in seq_along(pairs)) keep(outcome, method, visit, "contrast", contrast = label(pairs[[i]]),
        list(estimate = found[[i]]$estimate, n = about$n), tolerance = tolerance)
      next
    }
    weights <- do.call(rbind, rows)
    adjusted <- adjust(found, family, weights %*% covariance %*% t(weights))
    for (i in seq_along(pairs)) {
      one <- found[[i]]; name <- label(pairs[[i]])
      values <- judged(one$estimate, one$se, one$df, n = about$n)
      keep(outcome, method, visit, "contrast", c(values, p_adjusted = adjusted[i]), contrast = name,
           tolerance = tolerance)
      if (!is.na(sd)) {
        smd <- paste0(method, "_smd")
        keep(outcome, smd, visit, "adjusted_smd", contrast = name, tolerance = tolerance,
             list(estimate = small_sample(one$df) * one$estimate / sd, df = one$df))
        keep_ends(outcome, smd, visit, "adjusted_smd", pairs[[i]], one$estimate / one$se, one$df, one$se / sd)
      }
      margin <- plan$outcomes[[outcome]]$margin
      if (is.null(margin) || method != plan$primary$method || family != "versus_reference") next
      keep_margin(outcome, visit, name, one, margin, tolerance)
    }
  }
}
sign_of <- function(outcome) if (identical(plan$outcomes[[outcome]]$direction, "higher")) -1 else 1
keep_rate <- function(outcome, visit, arm, values, n, tolerance) {
  factor <- 100 * sign_of(outcome) / baseline_mean
  ends <- sort(factor * (baseline_mean - c(values$ci_low, values$ci_high)))
  keep(outcome, "rate_model", visit, "rate_model", arm = arm, tolerance = tolerance, list(
    estimate = factor * (baseline_mean - values$estimate), ci_low = ends[1], ci_high = ends[2],
    se = abs(factor) * values$se, df = values$df, n = n))
}
keep_margin <- function(outcome, visit, name, one, margin, tolerance) {
  sign <- sign_of(outcome)
  worse <- pt((sign * one$estimate - margin) / one$se, one$df)
  better <- pt((-sign * one$estimate - margin) / one$se, one$df)
  ends <- function(q) one$estimate + c(-1, 1) * qt(q, one$df) * one$se
  keep(outcome, "non_inferiority", visit, "non_inferiority", contrast = name, tolerance = tolerance,
       list(estimate = one$estimate, ci_low = ends(1 - tail)[1], ci_high = ends(1 - tail)[2], p = worse))
  keep(outcome, "equivalence", visit, "equivalence", contrast = name, tolerance = tolerance,
       list(ci_low = ends(level)[1], ci_high = ends(level)[2], p = max(worse, better)))
}

## ---- covariance analysis, and risks of a logistic model ---------------------------------------
covariance_analysis <- function(outcome, visit, before, y) {
  about <- model_of(visit, setNames(list(y), visit), before)
  x <- about$x[, about$kept, drop = FALSE]; df <- about$n - ncol(x)
  if (df < 1 || sd(about$long$y) == 0) return(invisible())
  fit <- lm.fit(x, about$long$y); sigma <- sqrt(sum(fit$residuals^2) / df)
  bread <- chol2inv(chol(crossprod(x))); hat <- rowSums((x %*% bread) * x)
  hc3 <- bread %*% crossprod(x * (fit$residuals / (1 - hat))) %*% bread
  for (kind in list(list("ancova", sigma^2 * bread, sigma), list("ancova_hc3", hc3, NA))) {
    if (anyNA(kind[[2]]) || any(hat > 1 - 1e-9) && kind[[1]] == "ancova_hc3") next
    ask <- function(row) list(estimate = sum(row * fit$coefficients),
                              se = sqrt(drop(row %*% kind[[2]] %*% row)), df = df)
    keep_model(outcome, kind[[1]], visit, about, ask, kind[[2]], kind[[3]], EXACT)
  }
}
standardised_risks <- function(outcome, visit, before, yes) {
  about <- model_of(visit, setNames(list(yes), visit), before)
  if (length(about$kept) < ncol(about$x) || about$n <= ncol(about$x)) return(invisible())
  fit <- suppressWarnings(glm.fit(about$x, about$long$y, family = binomial(),
    control = list(epsilon = 1e-14, maxit = 50)))
  if (max(abs(fit$linear.predictors)) > 20) return(invisible())
  covariance <- chol2inv(chol(crossprod(about$x * sqrt(fit$weights))))
  everybody <- function(arm) {
    x <- design_rows(about, rep(arm, about$n), rep(visit, about$n), before[about$used],
                     others[about$used, , drop = FALSE])
    p <- plogis(drop(x %*% fit$coefficients))
    list(risk = mean(p), slope = colMeans(x * p * (1 - p)))
  }
  for (pair in versus_reference) {
    one <- everybody(pair[1]); two <- everybody(pair[2]); slope <- one$slope - two$slope
    keep(outcome, "standardised_risk_difference", visit, "standardised_risk_difference",
         list(estimate = one$risk - two$risk, se = sqrt(drop(slope %*% covariance %*% slope)), n = about$n),
         contrast = label(pair), tolerance = 1e-7)
  }
}

## ---- mixed models -----------------------------------------------------------------------------
fit_mmrm <- function(about, x, kr = plan$primary$df == "kenward_roger") {
  frame <- data.frame(y = about$long$y, id = factor(about$long$person),
                      visit = factor(about$visits[about$long$place], about$visits), x)
  formula <- as.formula(paste("y ~ 0 +", paste(names(frame)[-(1:3)], collapse = " + "), "+ us(visit | id)"))
  # mmrm stops where the likelihood still rises in its seventh decimal, which moves the degrees of
  # freedom by 1e-4: it is told to go on to the top.
  control <- mmrm::mmrm_control(method = if (kr) "Kenward-Roger" else "Satterthwaite",
    vcov = if (kr) "Kenward-Roger-Linear" else "Asymptotic", optimizer = "nlminb",
    optimizer_control = list(rel.tol = 1e-12, sing.tol = 1e-30, iter.max = 2000, eval.max = 4000))
  fit <- suppressWarnings(mmrm::mmrm(formula, frame, reml = TRUE, control = control))
  list(likelihood = as.numeric(logLik(fit)), sd = sqrt(diag(mmrm::VarCorr(fit))),
    covariance = if (kr) fit$beta_vcov_adj else fit$beta_vcov,
    ask = function(row) { one <- mmrm::df_1d(fit, row); list(estimate = one$est, se = one$se, df = one$df) },
    joint = function(rows) { one <- mmrm::df_md(fit, rows); list(estimate = one$f_stat, df = one$denom_df, p = one$p_val) })
}
fit_gls <- function(about, x) {
  frame <- data.frame(y = about$long$y, id = factor(about$long$person), place = about$long$place, x)
  fit <- nlme::gls(as.formula(paste("y ~ 0 +", paste(names(frame)[-(1:3)], collapse = " + "))), frame,
    correlation = nlme::corSymm(form = ~ place | id), weights = nlme::varIdent(form = ~ 1 | place),
    method = "REML", control = nlme::glsControl(maxIter = 200, msMaxIter = 200, tolerance = 1e-9))
  list(likelihood = as.numeric(logLik(fit)), sd = NA, covariance = NA, joint = NULL,
    ask = function(row) list(estimate = sum(row * coef(fit)), se = NA, df = NA))
}
mixed_model <- function(outcome, method, score, before) {
  seen <- sapply(weeks, function(visit) sum(!is.na(score[[visit]])) > 1)
  visits <- c(if (method == "clda") first, weeks[seen])
  if (length(visits) < 2) return(invisible())
  about <- model_of(visits, score, before, is_constrained = method == "clda")
  if (sd(about$long$y) == 0) return(invisible())
  x <- about$x[, about$kept, drop = FALSE]; colnames(x) <- paste0("x", seq_len(ncol(x)))
  fit <- tryCatch((if (HAVE_MMRM) fit_mmrm else fit_gls)(about, x), error = function(e) {
    cat(outcome, " ", method, ": R did not fit it: ", conditionMessage(e), "\n", sep = "")
  })
  if (is.null(fit)) return(invisible())
  reported <- Filter(function(f) f$outcome == outcome && f$method == method, results$fits)
  if (length(reported)) keep_fit(paste(outcome, method, sep = "|"), reported[[1]], fit$likelihood)
  for (visit in weeks[seen]) {
    keep_model(outcome, method, visit, about, fit$ask, fit$covariance,
               if (HAVE_MMRM) fit$sd[[match(visit, visits)]] else NA, MODEL)
    rows <- lapply(versus_reference, function(pair) row_of(about, pair[1], visit) - row_of(about, pair[2], visit))
    if (!HAVE_MMRM || !all(vapply(rows, estimable, TRUE, about = about))) next
    rows <- do.call(rbind, lapply(rows, `[`, about$kept))
    keep(outcome, paste0(method, "_joint"), visit, "F", c(fit$joint(rows), n = about$n), tolerance = MODEL)
  }
}
keep_fit <- function(key, reported, likelihood) {
  off <- abs(reported$log_likelihood - likelihood)
  fits[[length(fits) + 1]] <<- data.frame(key = key, method = "log_likelihood", field = "log_likelihood",
    results_json = reported$log_likelihood, r = likelihood, difference = off, agrees = off <= MODEL)
}
music_features <- function(outcome, score, before) {
  # Mundlak's split: a person's mean, and how each visit departs from it.
  scores <- sapply(weeks, function(visit) score[[visit]])
  found <- list()
  for (feature in unlist(plan$exposure)) {
    heard <- sapply(weeks, function(visit) numbers_at(feature, visit))
    heard[is.na(scores) | is.na(heard) | is.na(before)] <- NA
    masked <- setNames(as.data.frame(ifelse(is.na(heard), NA, scores)), weeks)
    about <- list(visits = weeks, is_constrained = FALSE, by_visit = TRUE)
    long <- expand.grid(person = seq_len(nrow(people)), place = seq_along(weeks))
    long$y <- unlist(masked); long <- long[!is.na(long$y), ]; long <- long[order(long$person, long$place), ]
    if (length(unique(long$person)) < 3) next
    mean_of <- rowMeans(heard, na.rm = TRUE)
    x <- cbind(within = heard[cbind(long$person, long$place)] - mean_of[long$person], between = mean_of[long$person],
      design_rows(about, people$arm[long$person], weeks[long$place], before[long$person], NULL))
    split <- qr(x); kept <- sort(split$pivot[seq_len(split$rank)])
    if (!all(1:2 %in% kept) || nrow(x) <= length(kept)) next
    span <- qr.coef(qr(x[, kept]), x)
    if (any(abs(span[1:2, -kept]) > 1e-8)) next
    about$long <- long
    colnames(x) <- paste0("x", seq_len(ncol(x)))
    fit <- tryCatch(fit_mmrm(about, x[, kept], kr = TRUE), error = function(e) NULL)
    for (side in if (is.null(fit)) NULL else 1:2) {
      one <- fit$ask(as.numeric(seq_along(kept) == side))
      found[[length(found) + 1]] <- list(feature = feature, side = side,
        values = judged(one$estimate, one$se, one$df))
    }
  }
  for (side in 1:2) {
    of_side <- Filter(function(one) one$side == side, found)
    adjusted <- p.adjust(vapply(of_side, function(one) one$values$p, 0), "BH")
    for (i in seq_along(of_side)) {
      name <- c("within", "between")[side]; feature <- of_side[[i]]$feature
      keep(outcome, paste("exposure", feature, name, sep = "_"), weeks[length(weeks)],
           paste0(feature, ", ", name), c(of_side[[i]]$values, p_adjusted = adjusted[i]), tolerance = MODEL)
    }
  }
}

## ---- dose, ways, scales -----------------------------------------------------------------------
full_rank <- function(x) { split <- qr(x); x[, sort(split$pivot[seq_len(split$rank)]), drop = FALSE] }
slope_of <- function(y, x, w) {
  known <- complete.cases(y, x, w); w <- full_rank(w[known, , drop = FALSE])
  design <- cbind(x[known], w); df <- sum(known) - ncol(design)
  if (df < 1 || qr(design)$rank < ncol(design)) return(NULL)
  fit <- lm.fit(design, y[known]); se <- sqrt(sum(fit$residuals^2) / df * chol2inv(chol(crossprod(design)))[1, 1])
  judged(unname(fit$coefficients[1]), se, df, n = sum(known))
}
dose_and_compliers <- function(outcome, y, before) {
  dose <- as.numeric(of_person(plan$adherence)); treated <- people$arm != arms[1]
  w <- cbind(1, before, others)
  apart <- cbind(w, outer(people$arm, arms[-(1:2)], `==`) * 1)
  found <- slope_of(y[treated], dose[treated], apart[treated, , drop = FALSE])
  if (!is.null(found)) keep(outcome, "dose_response", decisive, "dose_response", found)
  taken <- ifelse(treated | !is.na(dose), dose, 0)
  for (pair in versus_reference) {
    rows <- people$arm %in% pair & complete.cases(y, taken, w)
    v <- full_rank(w[rows, , drop = FALSE]); z <- cbind(people$arm[rows] == pair[1], v); x <- cbind(taken[rows], v)
    if (qr(crossprod(z, x))$rank < ncol(x)) next
    inverse <- solve(crossprod(z, x)); beta <- inverse %*% crossprod(z, y[rows]); df <- sum(rows) - ncol(x)
    spread <- sum((y[rows] - x %*% beta)^2) / df * inverse %*% crossprod(z) %*% t(inverse)
    keep(outcome, "cace", decisive, "cace", judged(beta[1], sqrt(spread[1, 1]), df, n = sum(rows)),
         contrast = label(pair))
  }
}
ways <- function(outcome, mediator, visit, y, before) {
  through <- column_of(mediator); m <- numbers_at(through, visit)
  start <- paste("mediation", mediator, visit, sep = "_")
  for (pair in versus_reference) {
    rows <- people$arm %in% pair & complete.cases(y, m, before, others, numbers_at(through, first))
    z <- as.numeric(people$arm[rows] == pair[1])
    w <- full_rank(cbind(1, before, others, numbers_at(through, first))[rows, , drop = FALSE])
    found <- list(arm_on_mediator = slope_of(m[rows], z, w), total = slope_of(y[rows], z, w),
      direct = slope_of(y[rows], z, cbind(w, m[rows])), mediator_on_outcome = slope_of(y[rows], m[rows], cbind(w, z)))
    for (way in names(Filter(Negate(is.null), found)))
      keep(outcome, paste(start, way, sep = "_"), decisive, way, found[[way]], contrast = label(pair))
  }
}
reliability <- function(outcome, items) for (visit in c(first, weeks)) {
  x <- sapply(items, numbers_at, visit = visit); x <- x[complete.cases(x), , drop = FALSE]
  k <- ncol(x); n <- nrow(x)
  if (k < 2 || n <= k || any(apply(x, 2, sd) == 0)) next
  alpha <- k / (k - 1) * (1 - sum(diag(cov(x))) / sum(cov(x)))
  ends <- 1 - (1 - alpha) * qf(c(1 - tail, tail), n - 1, (n - 1) * (k - 1))
  keep(outcome, "alpha", visit, "alpha", list(estimate = alpha, ci_low = ends[1], ci_high = ends[2], n = n))
  error <- sd(rowSums(x)) * sqrt(max(0, 1 - alpha))
  keep(outcome, "standard_error", visit, "standard_error", list(estimate = error))
  keep(outcome, "smallest_detectable_change", visit, "change", list(estimate = 1.96 * sqrt(2) * error))
  one <- if (k > 3) tryCatch(factanal(covmat = cor(x), n.obs = n, factors = 1, nstart = 5,
    control = list(opt = list(factr = 10))), error = function(e) NULL)
  # R keeps uniquenesses above 0.005; a factor at that bound is another one.
  if (is.null(one) || any(one$uniquenesses < 0.006)) next
  common <- sum(one$loadings)^2
  keep(outcome, "omega", visit, "omega", list(estimate = common / (common + sum(one$uniquenesses))), tolerance = 1e-4)
}

## ---- everything that was planned --------------------------------------------------------------
column_of <- function(outcome) {
  column <- plan$outcomes[[outcome]]$column
  if (is.null(column)) outcome else column
}
for (outcome in names(plan$outcomes)) {
  rule <- plan$outcomes[[outcome]]$responder; sign <- sign_of(outcome)
  score <- setNames(lapply(c(first, weeks), function(visit) numbers_at(column_of(outcome), visit)), c(first, weeks))
  before <- score[[first]]
  followed <- rowSums(!is.na(sapply(weeks, function(visit) score[[visit]]))) > 0
  baseline_mean <- mean(before[followed], na.rm = TRUE)
  for (arm in arms) for (visit in c(first, weeks)) {
    of_arm <- people$arm == arm
    describe(outcome, sign, before[of_arm], score[[visit]][of_arm], visit, arm)
  }
  if (!is.null(rule)) for (visit in weeks) {
    yes <- responded(rule, sign, before, score[[visit]]) * 1
    compare_responders(outcome, "", visit, yes)
    compare_responders(outcome, "_nonresponder", visit, ifelse(is.na(yes), 0, yes))
    if (length(arms) > 1) standardised_risks(outcome, visit, before, yes)
  }
  if (length(plan$reliability[[outcome]])) reliability(outcome, unlist(plan$reliability[[outcome]]))
  if (length(arms) < 2) next
  for (visit in weeks) {
    if (sum(!is.na(score[[visit]])) < 2) next
    covariance_analysis(outcome, visit, before, score[[visit]])
    compare_samples(outcome, visit, score[[visit]])
  }
  for (method in unique(c("mmrm", if (plan$primary$method == "clda") "clda")))
    mixed_model(outcome, method, score, before)
  if (HAVE_MMRM && length(weeks) > 1) music_features(outcome, score, before)
  if (outcome != plan$primary$outcome) next
  if (nzchar(plan$adherence)) dose_and_compliers(outcome, score[[decisive]], before)
  for (way in plan$mediation) ways(outcome, way$outcome, way$visit, score[[decisive]], before)
}

# A later outcome of the hierarchy is judged once all before it are.
gate <- 0
for (stage in if (length(plan$hierarchy) > 1) unlist(plan$hierarchy)) {
  of_stage <- paste(stage, plan$primary$method, decisive, "contrast", sapply(versus_reference, label), NA, sep = "|")
  places <- which(sapply(again, function(one) one$key %in% of_stage && !is.null(one$values$p)))
  within <- vapply(again[places], function(one) {
    if (plan$primary$adjust == "none") one$values$p else one$values$p_adjusted
  }, 0)
  passed <- pmax(within, gate)
  if (stage != plan$hierarchy[[1]])
    for (i in seq_along(places)) again[[places[i]]]$values$p_adjusted <- passed[i]
  gate <- max(gate, passed)
}

## ---- harms -------------------------------------------------------------------------------------
harms_file <- file.path(folder, "harms.csv")
if (length(results$harms) && file.exists(harms_file)) {
  events <- read.csv(harms_file, colClasses = "character", na.strings = character())
  serious <- events$criteria != ""; reaction <- events$relation != "none"
  expected <- events$is_expected == "1"; before <- events$is_before == "1"
  meant <- list(any = TRUE, reaction = reaction, serious = serious, serious_reaction = serious & reaction,
                unexpected_serious_reaction = serious & reaction & !expected, before = before)
  for (one in c("mild", "moderate", "severe")) meant[[one]] <- events$severity == one
  for (one in c("none", "possible", "related")) meant[[paste0("relation_", one)]] <- events$relation == one
  for (one in c("death", "life_threatening", "hospital", "disability", "congenital", "important"))
    meant[[one]] <- grepl(paste0("\\b", one, "\\b"), events$criteria)
  n <- table(factor(people$arm, arms))
  for (kind in names(meant)) {
    counted <- events$participant[meant[[kind]] & (before == (kind == "before"))]
    x <- table(factor(people$arm[people$id %in% counted], arms))
    times <- table(factor(people$arm[match(counted, people$id)], arms))
    for (arm in arms) {
      ends <- wilson(x[[arm]], n[[arm]])
      keep(kind, "participants", "", "participants", arm = arm, list(estimate = x[[arm]] / n[[arm]],
           ci_low = ends[1], ci_high = ends[2], n = n[[arm]]))
      keep(kind, "events", "", "events", list(estimate = times[[arm]], n = n[[arm]]), arm = arm)
    }
    if (kind %in% c("any", "reaction", "serious", "serious_reaction")) for (pair in versus_reference)
      keep(kind, "risk_difference", "", "risk_difference", contrast = label(pair),
           difference_of(x[[pair[1]]], n[[pair[1]]], x[[pair[2]]], n[[pair[2]]]))
  }
}

## ---- compare ----------------------------------------------------------------------------------
reported <- new.env()
for (record in c(results$estimates, results$harms)) {
  key <- paste(record$outcome, record$method, as_visit(as.character(record$visit)), record$quantity,
               or_na(record$contrast), or_na(record$arm), sep = "|")
  assign(key, record, envir = reported)
}
rows <- list(); seen <- character()
for (one in again) {
  record <- get0(one$key, envir = reported)
  if (is.null(record$estimate)) {
    rows[[length(rows) + 1]] <- data.frame(key = one$key, method = one$method, field = "estimate",
      results_json = NA, r = one$values[[1]], difference = NA, agrees = FALSE)
    next
  }
  seen <- c(seen, one$key)
  for (field in names(one$values)) {
    ours <- record[[field]]; theirs <- one$values[[field]]
    if (is.null(ours) || is.na(theirs)) next
    off <- abs(ours - theirs) / max(1, abs(ours))
    rows[[length(rows) + 1]] <- data.frame(key = one$key, method = one$method, field = field,
      results_json = ours, r = theirs, difference = off, agrees = off <= one$tolerance)
  }
}
table <- do.call(rbind, c(rows, fits))
if (is.null(table)) stop("expected numbers that both have, found none")
write.csv(table, file.path(folder, "reproduced.csv"), row.names = FALSE)
shown <- aggregate(table["difference"], table["method"], function(x) max(x))
shown$numbers <- as.vector(table(table$method)[shown$method])
print(shown, row.names = FALSE)
left <- Filter(function(r) !is.null(r$estimate), mget(setdiff(ls(reported), seen), envir = reported))
left <- table(vapply(left, function(r) r$method, ""))
if (length(left)) cat("Not computed again: ", paste0(names(left), " (", left, ")", collapse = ", "), "\n", sep = "")
if (!HAVE_MMRM) cat("mmrm is not installed: of the mixed model only contrasts were compared.\n")
if (!HAVE_MVTNORM && grepl("dunnett", plan$primary$adjust)) cat("mvtnorm is not installed: Dunnett was not compared.\n")
wrong <- table[!table$agrees, ]
if (nrow(wrong)) { print(head(wrong, 20), row.names = FALSE); quit(status = 1) }
cat(nrow(table), "numbers agree.\n")
